"""Meet a module's imports with host functions, and say in Envoy's words where they do not fit.

Rules that live here: a host provides functions only; types fit exactly; what the module does not import is
not linked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeGuard

from simwasm.engines.engine import HostFunction, Imports, Words
from simwasm.engines.fuel import Fuel
from simwasm.errors import LinkError
from simwasm.wasm.module import FuncType, ValType
from simwasm.wasm.rewrite import SLICE

Wanted = tuple[str, str, FuncType | None]
"""What a module imports: from where, which name, which type of function; None if it is no function."""

_WORDS = frozenset({ValType.I32, ValType.I64, ValType.F32, ValType.F64})
_SLICE_TYPE = FuncType((), (ValType.I32,))


def link(wanted: Iterable[Wanted], imports: Imports, fuel: Fuel) -> list[HostFunction]:
    """The host function for every import, in order. Requests for more fuel go to `fuel`."""
    offered = {**imports, SLICE: HostFunction(_SLICE_TYPE, fuel.slice)}
    return [_fitting(module, name, kind, offered) for module, name, kind in wanted]


def _fitting(module: str, name: str, kind: FuncType | None, offered: Imports) -> HostFunction:
    if not speakable(kind):
        what = f"takes or gives what is no number ({kind})" if kind else "is no function"
        raise LinkError(f"Failed to load Wasm module due to a missing import: {module}.{name} {what}")
    found = offered.get((module, name))
    if found is None:
        raise LinkError(f"Failed to load Wasm module due to a missing import: {module}.{name} ({kind})")
    if found.type != kind:
        raise LinkError(
            f"Failed to load Wasm module due to an import type mismatch: {module}.{name}, "
            f"want: {kind}, but host exports: {found.type}"
        )
    return found


def speakable(kind: FuncType | None) -> TypeGuard[FuncType]:
    """Whether Python and a guest can call each other with that type: it has only numbers."""
    return kind is not None and _WORDS.issuperset(kind.params + kind.results)


def closed(*words: object) -> Words:
    """What the exports of an instance are once it was closed."""
    raise RuntimeError("the instance was closed")
