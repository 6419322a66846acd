"""Foreign functions: finding the one that is meant."""

from __future__ import annotations

from simwasm.abi.enums import Status
from simwasm.abi.status import Refusal, Remark
from simwasm.host.calls.topic import calls
from simwasm.host.foreign import FUNCTIONS
from simwasm.host.vm import Vm


def proxy_call_foreign_function(vm: Vm, name: str, arguments: bytes) -> bytes | Refusal | Remark:
    function = FUNCTIONS.get(name)
    if function is not None:
        return function(vm, arguments)
    from difflib import get_close_matches  # only a plugin that is wrong needs it

    near = get_close_matches(name, FUNCTIONS, 1)
    return Refusal(
        Status.NOT_FOUND,
        f"function: Envoy has no `{name}`; "
        + (f"is it `{near[0]}`?" if near else f"it has {', '.join(FUNCTIONS)}"),
    )


CALLS = calls(proxy_call_foreign_function)
