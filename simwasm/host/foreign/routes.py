"""`clear_route_cache`: have the route looked up again.

The router does that anyway once the request's headers have been written, so there is nothing to be seen of it; it acts
for the effective context.
"""

from __future__ import annotations

from simwasm.abi.status import Remark
from simwasm.host.vm import Vm


def clear_route_cache(vm: Vm, arguments: bytes) -> bytes | Remark:
    if vm.context is None or vm.context.stream is None:
        return Remark(
            b"", "nothing is cleared: this context has no stream; choose one by proxy_set_effective_context"
        )
    return b""
