"""Foreign functions: what Envoy offers plugins beside the ABI, by name through `proxy_call_foreign_function`.

A function takes the VM that asks and the bytes it gave; it gives back bytes (none where it has no result) or a
`Refusal`. Rule: what needs a library that may be missing imports it when it is first called.
"""

from __future__ import annotations

from collections.abc import Callable

from simwasm.abi.status import Refusal, Remark
from simwasm.host.foreign import expressions, routes, signatures, state, zip
from simwasm.host.vm import Vm

Function = Callable[[Vm, bytes], "bytes | Refusal | Remark"]

FUNCTIONS: dict[str, Function] = {
    "compress": zip.compress,
    "uncompress": zip.uncompress,
    "expr_create": expressions.create,
    "expr_evaluate": expressions.evaluate,
    "expr_delete": expressions.delete,
    "declare_property": state.declare_property,
    "set_envoy_filter_state": state.set_envoy_filter_state,
    "clear_route_cache": routes.clear_route_cache,
    "sign": signatures.sign,
    "verify_signature": signatures.verify_signature,
}
