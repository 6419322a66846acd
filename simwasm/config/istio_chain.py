"""The chain of filters of a proxy under Istio: its own filters, the WasmPlugins between them, and what patches change.

What matters of Istio's own filters is their names, which patches refer to, and their order. WasmPlugins stand by phase:
AUTHN before authentication, AUTHZ before authorization, STATS and the rest behind it.
"""

from __future__ import annotations

from collections.abc import Iterable

from simwasm.config.istio_envoy_filter import MANAGER_NAME, ROUTER
from simwasm.config.istio_envoy_filter import Ranked as RankedPatches
from simwasm.config.istio_patches import Patched, Slot, patched
from simwasm.config.istio_wasm_plugin import GROUP, Ranked

_HTTP, _NETWORK = "envoy.filters.http.", "envoy.filters.network."
_OF_ISTIO = {
    False: (
        ("istio.metadata_exchange",),
        ("istio_authn", f"{_HTTP}jwt_authn"),
        (f"{_HTTP}rbac", f"{_HTTP}ext_authz"),
        (),
        (
            f"{_HTTP}grpc_web",
            "istio.alpn",
            f"{_HTTP}fault",
            f"{_HTTP}cors",
            "istio.stats",
            f"{_HTTP}grpc_stats",
            ROUTER,
        ),
    ),
    True: (
        ("istio.metadata_exchange",),
        (),
        (f"{_NETWORK}rbac", f"{_NETWORK}ext_authz"),
        (),
        ("istio.stats", f"{_NETWORK}tcp_proxy", MANAGER_NAME),
    ),
}
"""Istio's filters for HTTP and for connections: before the plugins of each phase, and behind the last."""


def chained(
    plugins: Iterable[Ranked], patches: Iterable[RankedPatches], told: list[str], context: str
) -> Patched:
    """The plugins of one proxy in the order in which they run."""
    ranked = sorted(plugins, key=lambda each: each[:2])
    return patched(_slots(ranked, False), _slots(ranked, True), patches, told, context)


def _slots(ranked: Iterable[Ranked], network: bool) -> list[Slot]:
    of_istio = _OF_ISTIO[network]
    slots = [Slot(name) for name in of_istio[0]]
    for phase, behind in enumerate(of_istio[1:]):
        slots += (
            Slot(f"{GROUP}/wasmplugin/{each.deployed.name}", each.deployed)
            for each in ranked
            if each.phase == phase and each.deployed.network is network
        )
        slots += (Slot(name) for name in behind)
    return slots
