"""Cases of a switchboard, each a test that compares simwasm with the running Envoy.

    REPLIES = Live(Case(…), Case(…))

    @REPLIES.each
    def test_a_local_reply(name: str) -> None:
        REPLIES.check(name)

Rule: the cases of one `Live` share one Envoy, and whatever one of them leaves behind meets the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import pytest
from hostcalls import MS
from switchboard import Case, switchboard

from simwasm.abi.table import LAST, Abi
from simwasm.engines import find
from simwasm.errors import SimwasmError
from simwasm.exchange import Exchange, Message, response
from simwasm.host.ports import Answer, Failure, Service
from simwasm.parity.account import Scenario, Script
from simwasm.parity.bootstrap import Json
from simwasm.parity.compare import Difference, verify
from simwasm.plugin import Plugin

STARTING, STOPPING = "start", "stop"


def auth(asked: Message) -> Answer:
    """Answer a callout well, a while later."""
    return response(200, headers=[("x-auth", "1")], body=b"fine", after_ns=100 * MS)


def lost(asked: Message) -> Answer:
    """Begin an answer and lose the connection."""
    return Failure("connection termination", begun=response(200, body=[b"par"]))


CLUSTERS: Mapping[str, Script] = {"auth": auth, "lost": lost}


class Live:
    """Cases that share an Envoy; `behind` says what a second plugin does about the same cases, `then` what follows."""

    def __init__(
        self,
        *cases: Case,
        abi: Abi = LAST,
        behind: Sequence[Case] = (),
        then: Sequence[Exchange] = (),
        without: Sequence[str] = (),
        clusters: Mapping[str, Script] = CLUSTERS,
        services: Mapping[str, Service] = MappingProxyType({}),
        buffer_limit: int | None = None,
        http_manager: Mapping[str, Json] = MappingProxyType({}),
        hint: int = 0,
        **settings: Any,
    ) -> None:
        self.cases = cases
        wasm = switchboard(cases, abi, without=without)
        first = Plugin("parity.switchboard", wasm, config=b"{}", root_id="root", vm_id="vm")
        network = bool(settings.get("network"))
        other = replace(first, name="parity.behind", wasm=switchboard(behind, abi), network=network)
        second = (other,) if behind else ()
        exchanges = (*(case.exchange(number) for number, case in enumerate(cases)), *then)
        plugins = (replace(first, **settings), *second)
        self.scenario = Scenario(
            plugins,
            exchanges,
            clusters,
            services,
            http_manager=http_manager,
            hint=hint,
            buffer_limit=buffer_limit,
        )

    def each(self, test: Callable[[str], None]) -> Callable[[str], None]:
        """Make a test of every case, and one of the worker's start and stop."""
        found = [
            pytest.param(
                case.name, id=case.name, marks=[pytest.mark.envoy(*case.items)] if case.items else []
            )
            for case in self.cases
        ]
        marked = pytest.mark.parametrize("name", [*found, "start and stop"])(test)
        return pytest.mark.usefixtures("envoy_binary")(marked)

    @cached_property
    def differences(self) -> tuple[Difference, ...] | SimwasmError:
        """All of them, found out when the first is asked for; or why Envoy could not be asked."""
        try:
            return verify(self.scenario, find.engine())
        except SimwasmError as error:
            return error

    def check(self, name: str) -> None:
        """Fail if simwasm and Envoy differ in a case."""
        found = self.differences
        if isinstance(found, SimwasmError):
            raise found
        places = (STARTING, STOPPING) if name == "start and stop" else (name,)
        report([difference for difference in found if difference.where in places])


def report(found: Sequence[Difference]) -> None:
    """Fail if there is any difference, and show it."""
    if found:
        text = "\n\n".join(map(str, found))  # may hold bytes that are no text, which xdist cannot send
        pytest.fail(text.encode(errors="backslashreplace").decode(), pytrace=False)
