"""A guest written as a table: what each callback does to its VM and returns.

The proxy is the real one; only the Wasm is replaced, by functions that make the same host calls.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from simwasm.abi.status import Refusal
from simwasm.abi.table import Abi
from simwasm.exchange import Exchange, Message, response
from simwasm.host.calls import HANDLERS
from simwasm.host.outcome import LogLine, Outcome
from simwasm.host.ports import Answer, AskCluster, Callout, Service
from simwasm.host.profile import ENVOY, Profile
from simwasm.host.proxy import Proxy
from simwasm.host.vm import Vm
from simwasm.plugin import FailPolicy, Plugin

Deed = Callable[..., Any]


class TablePlugin(Plugin):
    """A plugin without a binary, of the newest ABI unless told otherwise."""

    version = Abi.V0_2_1

    @property
    def abi(self) -> Abi:
        return self.version


class Guest:
    """One plugin as a table of callbacks. `call` is what an import would do."""

    def __init__(self, name: str = "table", config: bytes = b"", policy: FailPolicy = FailPolicy.FAIL_CLOSED,
                 vm_id: str = "", **callbacks: Deed) -> None:  # fmt: skip
        self.plugin = TablePlugin(name, name.encode(), config=config, fail_policy=policy, vm_id=vm_id)
        self.callbacks = {f"proxy_{name}": deed for name, deed in callbacks.items()}
        self.vm: Vm | None = None

    def call(self, name: str, *args: Any) -> Any:
        """Make a host call: its value, or its refusal."""
        try:
            return HANDLERS[f"proxy_{name}"](self.vm, *args)
        except Refusal as refusal:
            return refusal


class Play:
    """A proxy with guests, run to the end; `seen` is the sequence of what it asked for."""

    def __init__(self, *guests: Guest, profile: Profile = ENVOY, clusters: Collection[str] = (),
                 answer: Answer | None = None, callout: AskCluster | None = None,
                 workers: int = 1) -> None:  # fmt: skip
        self.log: list[LogLine] = []
        self.seen: list[str] = []
        self.outcomes: list[Outcome] = []
        self._answer = answer
        self._callout = callout
        self._guests = {guest.plugin.name: guest for guest in guests}
        self.proxy = Proxy(
            [guest.plugin for guest in guests],
            guests=self,
            workers=workers,
            ask_upstream=self._ask_upstream,
            ask_cluster=self._ask_cluster,
            profile=profile,
            clusters=clusters,
            on_log=self.log.append,
        )

    def load(self, vm: Vm) -> None:
        """Give a VM the callbacks of its plugin; calls are made for the VM that came last."""
        guest = self._guests[vm.plugin.name]
        guest.vm = vm
        vm.guest = {name: self._callback(name, guest) for name in guest.callbacks}

    def unload(self, vm: Vm) -> None:
        """Nothing is to be let go of."""

    def start(self) -> Play:
        self.proxy.start()
        return self

    def run(self, *exchanges: Exchange | Message, together: bool = False) -> Outcome:
        """Run exchanges (a message is an exchange without an answer of its own); the last outcome."""
        if not self.proxy.vms:
            self.start()
            self.seen.clear()
        given = [
            item if isinstance(item, Exchange) else Exchange(str(number), 0, item)
            for number, item in enumerate(exchanges, 1)
        ]
        self.outcomes += self.proxy.run(given, together=together)
        return self.outcomes[-1]

    def stop(self) -> None:
        self.proxy.stop()

    def _callback(self, name: str, guest: Guest) -> Callable[..., Any]:
        def called(*args: int) -> Any:
            self.seen.append(f"{name.removeprefix('proxy_')}{args}".replace(",)", ")"))
            return guest.callbacks[name](guest, *args)

        return called

    def _ask_upstream(self, exchange: Exchange, request: Message) -> Answer:
        self.seen.append("upstream")
        return self._answer or exchange.response or response(200)

    def _ask_cluster(self, callout: Callout) -> Answer | Service:
        self.seen.append(f"callout {callout.cluster}")
        assert self._callout is not None
        return self._callout(callout)


def returns(value: Any) -> Deed:
    """A callback that only returns something."""
    return lambda guest, *args: value
