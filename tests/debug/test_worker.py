"""The thread of the plugins: what can be told from outside about orders that wait."""

from __future__ import annotations

from concurrent.futures import Future
from threading import Event

from debugging import WAIT, debugging, inputs_of

from simwasm.debug.stop import Stop


def test_the_run_does_not_stand_while_another_order_waits_to_move_it() -> None:
    with debugging(inputs_of("allow_header/browser")) as debugger:
        go_on, stood = Event(), []

        def seen(_: Future[Stop]) -> None:
            stood.append(debugger.stop)

        debugger.ask(go_on.wait)
        first, second = debugger.goto(5), debugger.goto(9)
        first.add_done_callback(seen)
        go_on.set()
        assert second.result(WAIT).position == 9
        assert stood == [None]
        assert debugger.stop == second.result()


def test_an_order_that_is_taken_back_leaves_the_run_standing() -> None:
    with debugging(inputs_of("allow_header/browser")) as debugger:
        here, go_on = debugger.stop, Event()
        debugger.ask(go_on.wait)
        assert debugger.goto(9).cancel()
        go_on.set()
        assert debugger.ask(lambda: debugger.stop).result(WAIT) == here
