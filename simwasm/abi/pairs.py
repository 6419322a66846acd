"""Two byte formats of the ABI: header pairs and property paths.

    u32 n | n x (u32 key size, u32 value size) | n x (key \\0 value \\0)

Sizes leave the NULs out. Rule, as in the real host: reading never fails; what is malformed is an empty list.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack, unpack_from

from simwasm.exchange import to_bytes, to_text

Pairs = tuple[tuple[str, str], ...]

MAX_BYTES = 1 << 20
MAX_PAIRS = 1024


def encode_pairs(pairs: Sequence[tuple[str, str]]) -> bytes:
    """Write pairs as the host does; no pairs are no bytes."""
    if not pairs:
        return b""
    encoded = [(to_bytes(name), to_bytes(value)) for name, value in pairs]
    sizes = [size for name, value in encoded for size in (len(name), len(value))]
    head = pack(f"<{1 + len(sizes)}I", len(encoded), *sizes)
    return head + b"".join([b"%b\0%b\0" % pair for pair in encoded])


def decode_pairs(data: bytes) -> Pairs:
    """Read pairs as the host does: the list, or nothing if a byte is out of place."""
    found, _ = explain_pairs(data)
    return found


def explain_pairs(data: bytes) -> tuple[Pairs, str]:
    """Read pairs and say why there are none when the bytes are malformed."""
    size = len(data)
    if size < 4:
        return (), "" if size == 0 else f"{size} bytes cannot hold a count"
    if size > MAX_BYTES:
        return (), f"{size:,} bytes are more than the limit of {MAX_BYTES:,}"
    (count,) = unpack_from("<I", data)
    if count > MAX_PAIRS:
        return (), f"{count:,} pairs are more than the limit of {MAX_PAIRS:,}"
    at = 4 + 8 * count
    if at > size:
        return (), f"the sizes of {count} pairs do not fit into {size} bytes"
    sizes = unpack_from(f"<{2 * count}I", data, 4)  # `struct` keeps the formats it has seen
    found: list[tuple[str, str]] = []
    each = iter(sizes)
    for name_size in each:
        value_size = next(each)
        name_end = at + name_size
        value_end = name_end + 1 + value_size
        if value_end >= size or data[name_end] or data[value_end]:
            return (), f"pair {len(found)} does not end where its size says"
        found.append((to_text(data[at:name_end]), to_text(data[name_end + 1 : value_end])))
        at = value_end + 1
    if at != size:
        return (), f"{size - at} bytes are left over"
    return tuple(found), ""


def encode_path(segments: Sequence[str]) -> bytes:
    return to_bytes("\0".join(segments))


def decode_path(data: bytes) -> tuple[str, ...]:
    return tuple(to_text(data).split("\0"))
