"""How long a guest runs: the budget, interrupts, and that the same call always burns the same."""

from __future__ import annotations

import threading
import time

import pytest
from guest import Starter

from simwasm.engines.engine import Capturable, Instance
from simwasm.engines.fuel import SLICE, Fuel
from simwasm.engines.image import capture, restore
from simwasm.errors import Trap, TrapKind
from simwasm.wasm.rewrite import FUEL

SPINNING = """(module
    (import "env" "host" (func $host))
    (func $spin (export "spin") (call $host) (loop (br 0)))
    (func (export "count") (param i32) (loop
        (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"""


def spinning(start: Starter, fuel: Fuel) -> Instance:
    return start(SPINNING, {"host": ("->", lambda: None)}, fuel)


def stop(instance: Instance) -> Trap:
    with pytest.raises(Trap) as caught:
        instance.exports["spin"]()
    return caught.value


def test_a_guest_stops_when_its_budget_is_spent(start: Starter) -> None:
    fuel = Fuel(3 * SLICE)
    trap = stop(spinning(start, fuel))
    assert trap.kind is TrapKind.OUT_OF_FUEL
    assert [frame.name for frame in trap.frames] == ["spin"]
    assert fuel.refused is TrapKind.OUT_OF_FUEL
    assert fuel.granted == 3 * SLICE


def test_a_budget_that_is_no_multiple_of_a_slice_is_given_to_the_unit(start: Starter) -> None:
    fuel = Fuel(SLICE + 7)
    stop(spinning(start, fuel))
    assert fuel.granted == SLICE + 7


def test_each_renewed_call_has_the_whole_budget(start: Starter) -> None:
    fuel = Fuel(2 * SLICE)
    instance = spinning(start, fuel)
    for call in range(1, 4):
        assert stop(instance).kind is TrapKind.OUT_OF_FUEL
        assert fuel.granted == call * 2 * SLICE
        fuel.renew()
        assert fuel.refused is None


def test_without_renewal_nothing_is_left(start: Starter) -> None:
    instance = spinning(start, Fuel(SLICE))
    stop(instance)
    assert stop(instance).kind is TrapKind.OUT_OF_FUEL


def test_a_budget_holds_while_starting(start: Starter) -> None:
    with pytest.raises(Trap) as caught:
        start("(module (func $s (loop (br 0))) (start $s))", fuel=Fuel(SLICE))
    assert caught.value.kind is TrapKind.OUT_OF_FUEL
    assert [frame.name for frame in caught.value.frames] == ["s"]


@pytest.mark.parametrize("kind", [TrapKind.INTERRUPTED, TrapKind.RESTRICTED])
def test_an_interrupt_stops_the_guest_at_its_next_request_with_its_reason(
    start: Starter, kind: TrapKind
) -> None:
    fuel = Fuel()
    instance = start(SPINNING, {"host": ("->", lambda: fuel.interrupt(kind))}, fuel)
    trap = stop(instance)
    assert trap.kind is kind
    assert [frame.name for frame in trap.frames] == ["spin"]


def test_an_interrupt_stops_one_call(start: Starter) -> None:
    fuel = Fuel()
    instance = spinning(start, fuel)
    fuel.interrupt()
    stop(instance)
    fuel.renew()
    instance.exports["count"](1_000_000)


def test_an_interrupt_is_not_lost_between_calls(start: Starter) -> None:
    fuel = Fuel()
    instance = spinning(start, fuel)
    fuel.interrupt()
    fuel.renew()
    assert stop(instance).kind is TrapKind.INTERRUPTED


@pytest.mark.parametrize("shared", [False, True])
def test_another_thread_can_interrupt(start: Starter, shared: bool) -> None:
    fuel = Fuel()
    fuel.shared = shared
    instance = spinning(start, fuel)
    timer = threading.Timer(0.05, fuel.interrupt)
    timer.start()
    assert stop(instance).kind is TrapKind.INTERRUPTED
    timer.join()


def test_other_threads_run_while_a_shared_guest_computes(start: Starter) -> None:
    fuel = Fuel((4 if start.engine.name == "python" else 400) * SLICE)
    fuel.shared = True
    ticks = 0
    over = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not over.is_set():
            ticks += 1
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    before, began = ticks, time.monotonic()
    stop(spinning(start, fuel))
    elapsed, counted = time.monotonic() - began, ticks - before
    over.set()
    thread.join()
    assert counted > elapsed / 0.05


def repeatable(start: Starter, fuel: Fuel) -> Capturable:
    instance = spinning(start, fuel)
    assert isinstance(instance, Capturable)
    return instance


def test_an_interrupt_that_took_effect_is_repeated_when_the_run_is(start: Starter) -> None:
    fuel = Fuel()
    instance = repeatable(start, fuel)
    image, state = capture(instance), fuel.state()
    requests = 0

    def third() -> None:
        nonlocal requests
        requests += 1
        if requests == 3:
            fuel.interrupt(TrapKind.RESTRICTED)

    fuel.wait = third
    assert stop(instance).kind is TrapKind.RESTRICTED
    granted = fuel.granted
    for _ in range(2):
        restore(instance, image)
        fuel.restore(state)
        assert stop(instance).kind is TrapKind.RESTRICTED
        assert fuel.granted == granted == 2 * SLICE
    assert requests == 9


def test_the_call_after_a_repeated_interrupt_runs(start: Starter) -> None:
    fuel = Fuel()
    instance = repeatable(start, fuel)
    image, state = capture(instance), fuel.state()
    fuel.interrupt()
    stop(instance)
    restore(instance, image)
    fuel.restore(state)
    stop(instance)
    fuel.renew()
    instance.exports["count"](1_000_000)


def test_refusals_of_another_run_hold_in_this_one(start: Starter) -> None:
    first, second = Fuel(), Fuel()
    instance = spinning(start, first)
    first.interrupt(TrapKind.RESTRICTED)
    trap = stop(instance)
    second.refusals = first.refusals
    again = stop(spinning(start, second))
    assert (again.kind, again.frames) == (trap.kind, trap.frames)
    assert second.state() == first.state()


def test_what_is_left_is_put_back(start: Starter) -> None:
    fuel = Fuel(3 * SLICE)
    instance = repeatable(start, fuel)
    image, state = capture(instance), fuel.state()
    for _ in range(2):
        stop(instance)
        assert fuel.granted == 3 * SLICE
        assert fuel.state() != state
        restore(instance, image)
        fuel.restore(state)
        assert fuel.refused is None


def test_an_interrupt_that_was_not_noticed_is_not_part_of_the_state() -> None:
    fuel = Fuel()
    before = fuel.state()
    fuel.interrupt()
    assert fuel.state() == before
    fuel.restore(before)
    assert fuel.slice() == 0


def test_a_guest_waits_where_it_asks_for_fuel(start: Starter) -> None:
    fuel = Fuel()
    instance = spinning(start, fuel)
    waiting, go = threading.Event(), threading.Event()

    def wait() -> None:
        waiting.set()
        assert go.wait(60)

    def interrupt() -> None:
        assert waiting.wait(60)
        granted.append(fuel.granted)
        fuel.interrupt()
        go.set()

    granted: list[int] = []
    fuel.wait = wait
    thread = threading.Thread(target=interrupt)
    thread.start()
    assert stop(instance).kind is TrapKind.INTERRUPTED
    thread.join()
    assert granted == [fuel.granted] == [0]


def test_what_waiting_raises_unwinds_the_guest(start: Starter) -> None:
    class Leave(BaseException):
        """What a debugger would raise."""

    leave = Leave()

    def wait() -> None:
        raise leave

    fuel = Fuel()
    instance = repeatable(start, fuel)
    image, state = capture(instance), fuel.state()
    fuel.wait = wait
    with pytest.raises(Leave) as caught:
        instance.exports["spin"]()
    assert caught.value is leave
    assert fuel.state() == state
    fuel.wait = None
    restore(instance, image)
    instance.exports["count"](1_000_000)
    assert fuel.granted > 0


def test_an_unreachable_of_its_own_is_not_taken_for_a_refusal(start: Starter) -> None:
    fuel = Fuel(SLICE)
    instance = start(
        '(module (func (export "spin") (loop (br 0))) (func (export "stop") unreachable))', fuel=fuel
    )
    stop(instance)
    with pytest.raises(Trap) as caught:
        instance.exports["stop"]()
    assert caught.value.kind is TrapKind.OUT_OF_FUEL  # nothing is left, even for the entry
    fuel.renew()
    with pytest.raises(Trap) as caught:
        instance.exports["stop"]()
    assert caught.value.kind is TrapKind.UNREACHABLE


def test_the_same_calls_burn_the_same_on_every_engine(starters: dict[str, Starter]) -> None:
    def burn(start: Starter) -> list[int]:
        fuel = Fuel()
        instance = spinning(start, fuel)
        burnt = []
        for turns in (1, 1000, 500_000, 1_500_000):
            instance.exports["count"](turns)
            left = instance.get_global(FUEL)
            assert isinstance(left, int)
            burnt.append(fuel.burnt(left))
        return burnt

    runs = [burn(start) for start in starters.values() for _ in range(2)]
    assert all(run == runs[0] for run in runs)
    assert runs[0] == sorted(set(runs[0]))
