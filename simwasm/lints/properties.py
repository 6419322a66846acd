"""Properties that are called otherwise today."""

from __future__ import annotations

from simwasm.abi.enums import Status
from simwasm.host.property_reasons import GONE as RENAMED
from simwasm.lints.lint import Call, Ended, Lint
from simwasm.lints.watcher import Watcher
from simwasm.trace.query.grades import Grade

GONE = Lint(
    "property-gone", Grade.WARNING, "a property that is gone since Envoy 1.33",
    "The names that only Wasm had (`node`, `cluster_name`, `route_name` and others) are gone since Envoy 1.33; what"
    " they told is under `xds`.",
    "Read it below `xds`: `xds.node`, `xds.cluster_name`, `xds.route_name` and so on; for older proxies, try both.",
)  # fmt: skip


class Properties(Watcher):
    """Paths of properties."""

    LINTS = (GONE,)

    def claim(self, call: Call, ended: Ended) -> Lint | None:
        if call.function.name != "proxy_get_property" or ended.result is not Status.NOT_FOUND:
            return None
        path = call.args[0]
        return GONE if path and path[0] in RENAMED else None
