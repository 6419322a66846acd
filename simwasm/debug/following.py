"""A whole run followed instruction by instruction, and counted.

The run is that of its inputs on the engine `python`, whose instances can be followed from their first callback on.
Rules: what a callback ran is counted when it ends, so no more is kept than one callback's instructions; of a callback
that runs more than `instants.MOST` the first are counted, and how many callbacks that were is told.
"""

from __future__ import annotations

from array import array
from dataclasses import replace
from functools import partial

from simwasm.abi.table import Side
from simwasm.debug.code import Code
from simwasm.debug.inputs import Inputs
from simwasm.debug.instants import MOST, Instants, Marks
from simwasm.debug.profile import Profile, Tally
from simwasm.engines.engine import Steppable
from simwasm.engines.fuel import Fuel
from simwasm.host.ports import Guest
from simwasm.host.vm import Vm
from simwasm.link import Handlers
from simwasm.session import Session
from simwasm.trace.event import Entered, Event


class _Followed:
    """What is known of one VM."""

    def __init__(self, name: str, code: Code) -> None:
        self.offsets = array("I")
        """What its callback has run so far."""
        self.cut = 0
        """How many callbacks ran more than is kept."""
        self._name = name
        self._code = code
        self._tally = Tally(code)
        self._open: list[int] = []
        """Where the callbacks that are open begin among the offsets."""
        self._nested: list[tuple[int, int]] = []

    def entered(self) -> None:
        """A callback begins, maybe amid a host call of another one."""
        self._open.append(len(self.offsets))

    def left(self) -> None:
        """A callback ends."""
        begin = self._open.pop()
        if self._open:
            self._nested.append((begin, len(self.offsets)))
            return
        self.cut += len(self.offsets) > MOST
        del self.offsets[MOST:]
        nested = [(first, min(end, MOST)) for first, end in self._nested if first < MOST]
        self._tally.add(Instants(self._code, self._name, Marks(1), self.offsets[:], nested=nested))
        del self.offsets[:]
        self._nested.clear()

    def forget(self) -> None:
        """Count anew."""
        self._tally, self.cut = Tally(self._code), 0

    def profile(self) -> Profile:
        """What it ran."""
        return self._tally.profile()


class Following:
    """Stands between guests and host, and watches, to count what guests run."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = replace(inputs, engine="python")
        self._vms: dict[str, _Followed] = {}
        self._codes = {plugin.sha256: Code(plugin) for plugin in inputs.plugins}
        self._open: list[tuple[int, str]] = []
        self._session: Session

    def session(self) -> Session:
        """The session to run; not started."""
        self._session = self._inputs.session(observers=[self._see], between=self)
        return self._session

    def forget(self) -> None:
        """Count from now on only."""
        for followed in self._vms.values():
            followed.forget()

    def profiles(self) -> dict[str, Profile]:
        """What each VM ran, by its name."""
        return {name: followed.profile() for name, followed in self._vms.items()}

    @property
    def cut(self) -> int:
        """How many callbacks were not counted to their end."""
        return sum(followed.cut for followed in self._vms.values())

    def _see(self, event: Event) -> None:
        if isinstance(event, Entered):
            if event.function.side is Side.PLUGIN:
                self._open.append((event.seq, event.vm))
                self._vms[event.vm].entered()
        elif self._open and self._open[-1][0] == event.opened:
            self._vms[self._open.pop()[1]].left()

    def handlers(self, handlers: Handlers) -> Handlers:
        """The host answers for itself."""
        return handlers

    def guest(self, guest: Guest, vm: Vm, /) -> Guest:
        """A guest that was made is followed from now on."""
        instance = next(started.instance for started in self._session.started if started.vm is vm)
        assert isinstance(instance, Steppable)
        followed = self._vms[vm.name] = _Followed(vm.name, self._codes[vm.plugin.sha256])
        instance.watch(followed.offsets.append)
        return guest

    def fuelled(self, number: int, fuel: Fuel, /) -> None:
        """Whenever it has computed for a while, see that it is not too much to keep."""
        fuel.wait = partial(self._enough, number)

    def _enough(self, number: int) -> None:
        started = self._session.started[number]
        followed = self._vms.get(started.vm.name)
        if followed is not None:
            del followed.offsets[MOST + 1 :]
