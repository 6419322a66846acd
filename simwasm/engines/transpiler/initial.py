"""What a memory begins with, put together once for a program and not segment by segment for each instance.

Go's linker makes a segment of every few bytes, tens of thousands for a plugin.

Rules that live here: that is done where the outcome is certain: all segments that are copied at the start go to
constant places within the memory, which is the module's own; else they stay what they are. What is put together is
never much larger than the segments.
"""

from __future__ import annotations

from dataclasses import replace

from simwasm.engines.transpiler.constants import constant
from simwasm.engines.transpiler.memories import PAGE
from simwasm.wasm.module import Mode, Module, Segment, Span

Pages = tuple[tuple[int, bytes], ...]
"""Where bytes of a memory are, and which."""

_BLOCK = 4096
_MOST = 16
"""How many times as large as the segments the blocks may be that they touch, small ones apart."""
_SMALL = 1 << 20
_DONE = Segment(Mode.ACTIVE, 0, None, Span(0, 0))
"""A segment that is copied already."""


def initial(module: Module) -> tuple[Module, Pages]:
    """The module without the segments that are in the pages."""
    size = module.memories[0].bounds.minimum * PAGE if module.memories else 0
    copied = [segment for segment in module.segments if segment.mode is Mode.ACTIVE]
    most = _SMALL + _MOST * sum(segment.span.size for segment in copied)
    blocks: dict[int, bytearray] = {}
    for segment in copied:
        at = None if segment.offset is None else constant(module.data, segment.offset)
        if at is None or at + segment.span.size > size or len(blocks) * _BLOCK > most:
            return module, ()
        _put(blocks, at, memoryview(module.data)[segment.span.start : segment.span.end])
    segments: tuple[Segment, ...] = ()
    if module.data_count is not None:  # only then can code refer to segments
        segments = tuple(_DONE if segment.mode is Mode.ACTIVE else segment for segment in module.segments)
    pages = tuple((at * _BLOCK, bytes(block)) for at, block in sorted(blocks.items()))
    return replace(module, segments=segments), pages


def _put(blocks: dict[int, bytearray], at: int, data: memoryview) -> None:
    while data:
        number, start = divmod(at, _BLOCK)
        if number not in blocks:
            blocks[number] = bytearray(_BLOCK)
        here = data[: _BLOCK - start]
        blocks[number][start : start + len(here)] = here
        at, data = at + len(here), data[len(here) :]
