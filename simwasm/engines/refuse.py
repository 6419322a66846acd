"""Why an engine does not take a module, in words that say where and what to do.

Rules that live here: what is reported is the engine's complaint about the module as it was loaded, with its
offset; if only the rewritten one is refused, that is simwasm's fault and said so; a feature one engine lacks
names the other.
"""

from __future__ import annotations

import re

from simwasm.errors import BadModule, EngineUnavailable, LinkError, SimwasmError

_PLACE = re.compile(r"\(at offset (?:0x)?([0-9a-f]+)\)|at offset (?:0x)?([0-9a-f]+): ?")
_WRAPPING = re.compile(
    r"failed to compile: .*|Caused by:|\d+: |WebAssembly translation error:?|Invalid input WebAssembly code"
    r"|Validation error: |failed to parse WebAssembly module|RuntimeError: "
)

FEATURES: dict[str, str] = {
    r"tail calls": "tail calls",
    r"multiple memories": "several memories",
    r"only one init_expr operator|constant expression required": "extended constant expressions",
    r"[Ee]xceptions": "exceptions",
    r"Unknown 0xfd subopcode": "relaxed SIMD",
    r"memory64": "64-bit memories",
    r"threads": "threads",
}
"""What a complaint is about, by its text."""

OTHERS: dict[str, frozenset[str]] = {
    "wasmtime": frozenset(
        {"tail calls", "several memories", "extended constant expressions", "relaxed SIMD"}
    ),
}
"""What some engines can do that others cannot."""


def refusal(engine: str, complaint: str, about_original: str | None) -> BadModule:
    """The error for a module that did not compile, from the complaints about it and its original."""
    if about_original is None:
        message, offset = _read(complaint)
        blame = f"{engine} refuses the rewritten module, a fault of simwasm"
        return BadModule(f"{blame}: {message}", offset=offset)
    message, offset = _read(about_original)
    feature = next((name for pattern, name in FEATURES.items() if re.search(pattern, message)), None)
    able = next((other for other, has in OTHERS.items() if other != engine and feature in has), None)
    if able:
        message = f"the module uses {feature}, which {engine} does not have; try --engine {able} ({message})"
    return BadModule(message, offset=offset)


def unstartable(engine: str, complaint: str) -> SimwasmError:
    """The error for a module that compiled but does not start, though nothing in it trapped."""
    if re.search(_NO_ADDRESSES, complaint):
        return EngineUnavailable(
            f"{engine} cannot reserve the addresses for a memory, over 4 GiB; is there a limit (ulimit -v)? "
            f"({' '.join(complaint.split())})"
        )
    return LinkError(complaint)


_NO_ADDRESSES = r"mmap|Cannot allocate memory|[Ee]rror when allocating memory|os error 12"


def _read(complaint: str) -> tuple[str, int | None]:
    """The message without what engines put around it, and the offset in it."""
    place = _PLACE.search(complaint)
    base = 16 if place and "0x" in place[0] else 10
    offset = int(place[1] or place[2], base) if place else None
    message = _WRAPPING.sub("", _PLACE.sub("", complaint))
    return " ".join(message.split()), offset
