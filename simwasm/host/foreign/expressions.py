"""`expr_create`, `expr_evaluate` and `expr_delete`: CEL over the property tree.

Rules, as in the real host: a token belongs to the root; an expression sees what the current context sees, not the
effective one. Only the text is kept, so that a checkpoint holds it; compiled ones are in a cache.
"""

from __future__ import annotations

from struct import Struct

from simwasm.abi.enums import Status
from simwasm.abi.status import Made, Refusal
from simwasm.exchange import to_text
from simwasm.host.context import RootContext
from simwasm.host.foreign import cel
from simwasm.host.property_values import serialise
from simwasm.host.vm import Vm

_TOKEN = Struct("<I")


def create(vm: Vm, arguments: bytes) -> bytes | Refusal:
    """Check an expression and give it a token."""
    text = to_text(arguments)
    try:
        cel.parse(text)
    except cel.Wrong as error:
        return Refusal(Status.BAD_ARGUMENT, f"arguments: `{text}` is no CEL expression: {error}")
    expressions = _root(vm).expressions
    token = expressions.token()
    try:
        cel.check(text)
    except cel.Wrong as error:
        return Refusal(Status.BAD_ARGUMENT, f"arguments: `{text}`: {error}")
    expressions.texts[token] = text
    return _TOKEN.pack(token)


def evaluate(vm: Vm, arguments: bytes) -> bytes | Refusal:
    """The value of an expression here and now."""
    token = _token(arguments)
    text = _root(vm).expressions.texts.get(token)
    if text is None:
        return Refusal(Status.NOT_FOUND, f"arguments: there is no expression {token}")
    assert vm.current is not None
    try:
        value = cel.value(text, vm.current)
    except cel.Wrong as error:
        return Refusal(Status.INTERNAL_FAILURE, f"`{text}` has no value here: {error}")
    written = serialise(value)
    if written is None:
        return Refusal(Status.SERIALIZATION_FAILURE, f"`{text}` is nothing that can be written down")
    return Made(written)


def delete(vm: Vm, arguments: bytes) -> bytes:
    """Forget an expression; it does not matter whether there is one."""
    _root(vm).expressions.texts.pop(_token(arguments), None)
    return b""


def _root(vm: Vm) -> RootContext:
    assert vm.current is not None
    return vm.current.root


def _token(arguments: bytes) -> int:
    if len(arguments) != _TOKEN.size:
        raise Refusal(Status.BAD_ARGUMENT, f"arguments: {len(arguments)} bytes are no token, which is 4")
    token: int = _TOKEN.unpack(arguments)[0]
    return token
