"""The format of header pairs, read by Envoy and by simwasm alike, however broken the bytes are.

A plugin answers each request with the bytes of its body as the answer's headers, so the client sees what became of
them: all of them, or none.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from struct import pack

import pytest
import wasmtime

from simwasm.abi.pairs import MAX_PAIRS, encode_pairs
from simwasm.engines import find
from simwasm.exchange import Exchange, Header, request
from simwasm.parity.account import Scenario
from simwasm.parity.compare import both
from simwasm.plugin import Plugin

_HELD = 4 << 20
_AT = 1 << 20
_MUTATIONS = 120
_MEGABYTE = 1 << 20

ECHO = f"""(module
  (import "env" "proxy_get_buffer_bytes" (func $get (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_send_local_response" (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 96) (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const {_AT}))
  (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
    (if (i32.eqz (local.get 2)) (then (return (i32.const 1))))
    (i32.store (i32.const 20) (i32.const 0))
    (drop (call $get (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 16) (i32.const 20)))
    (drop (call $reply (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const {_AT}) (i32.load (i32.const 20)) (i32.const -1)))
    (i32.const 1)))"""


def headers(random: Random) -> tuple[Header, ...]:
    """A few headers that any client takes."""
    return tuple(
        (f"x-{random.choice('abcXYZ')}{number}", "v" * random.choice((0, 0, 1, 3, 40)))
        for number in range(random.randint(0, 6))
    )


def broken(data: bytes, random: Random) -> bytes:
    """The bytes with one thing wrong: cut, longer, a size changed, a terminator overwritten, two parts swapped."""
    at = random.randrange(len(data) + 1)
    count = int.from_bytes(data[:4], "little") if data else 0
    word = 4 * random.randrange(1 + 2 * count) if data else 0
    size = pack("<I", random.choice((0, 1, 2, 7, 255, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)))
    return random.choice(
        (
            data[:at],
            data + b"\0" * random.choice((1, 4, 100)),
            data[:word] + size + data[word + 4 :],
            data[:at] + b"\0" + data[at:],
            data[: 4 + 8 * count] + data[4 + 8 * count :].replace(b"\0", b"v", 1),
            pack("<I", count + 1) + data[4:],
            pack("<I", max(0, count - 1)) + data[4:],
        )
    )


def bodies() -> Iterator[tuple[str, bytes]]:
    """What is sent: good ones, broken ones, and those at the limits."""
    random = Random(4)
    for number in range(_MUTATIONS):
        good = encode_pairs(headers(random))
        yield f"good {number}", good
        yield f"broken {number}", broken(good, random)
    for count in (MAX_PAIRS, MAX_PAIRS + 1):
        yield f"{count} pairs", encode_pairs((("x", ""),) * count)
    whole = len(encode_pairs((("x-a", ""),)))
    for size in (_MEGABYTE, _MEGABYTE + 1):
        yield f"{size} bytes with zeros behind", encode_pairs((("x-a", "b"),)) + b"\0" * (size - whole - 1)


@pytest.mark.envoy(71)
@pytest.mark.usefixtures("envoy_binary")
def test_pairs_are_read_as_envoy_reads_them() -> None:
    plugin = Plugin("pairs", bytes(wasmtime.wat2wasm(ECHO)))
    exchanges = tuple(
        Exchange(name, 0, request("POST", "/", body=body), name=name) for name, body in bodies() if body
    )
    told = both(Scenario((plugin,), exchanges, buffer_limit=_HELD), find.engine())
    # How many pieces a megabyte comes in is chance; what becomes of it is not.
    found = [each for each in told.differences if each.what == "client response" or "bytes" not in each.where]
    if found:
        pytest.fail("\n\n".join(map(str, found)), pytrace=False)
    read = [
        any(name[:2] == "x-" for name, _ in seen.client.headers)
        for seen in told.envoy.exchanges
        if seen.client
    ]
    assert _MUTATIONS / 2 < sum(read) < len(read) - _MUTATIONS / 2
