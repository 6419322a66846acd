"""Is a module valid? The specification's validation, in one pass and less than a microsecond for an instruction.

    validate(read_module(data))      # or a BadModule

For engines that do not validate themselves; the others say the same in their own words, and sooner.
"""

from __future__ import annotations

from simwasm.wasm.validate.module import validate

__all__ = ["validate"]
