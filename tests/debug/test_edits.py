"""Changes by hand amid a callback: they make a branch, and what follows from them repeats."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from computing import computing
from debugging import WAIT, debugging, inputs_for, moment, requests

from simwasm.abi.enums import HeadersAction
from simwasm.debug.debugger import Debugger
from simwasm.debug.saved_branch import saved_branch
from simwasm.debug.stop import Stop
from simwasm.debug.unit import Unit
from simwasm.engines.engine import Engine
from simwasm.errors import InputError
from simwasm.trace.event import Left


@pytest.fixture
def opened(engine: Engine) -> Iterator[Debugger]:
    with debugging(inputs_for(computing(), requests(2), engine.name)) as debugger:
        debugger.unit = Unit.INSTRUCTION
        yield debugger


def first_result(debugger: Debugger) -> object:
    """What the first `proxy_on_request_headers` of the branch returned."""
    tape = debugger.tape
    for position in range(1, len(tape) + 1):
        event = tape.at(position)
        if isinstance(event, Left) and tape.entered(position).function.name == "proxy_on_request_headers":
            return event.result
    return None


def at(debugger: Debugger, where: str) -> Stop:
    """Stand there."""
    return debugger.run_to(where).result(WAIT)


def test_another_local_leads_another_way_on_a_branch_of_its_own(opened: Debugger) -> None:
    here = at(opened, "instruction:i32.store")
    after = opened.inside.assign("l3", "60").result(WAIT)
    assert (after.moment, opened.branch.name, len(opened.branches)) == (here.moment, "edit 1", 2)
    assert opened.inside.activations().result(WAIT)[0].locals[3].value == 60
    assert first_result(opened) is HeadersAction.PAUSE
    opened.switch(opened.branches[0]).result(WAIT)
    assert first_result(opened) is HeadersAction.CONTINUE


def test_another_operand_is_what_the_instruction_takes(opened: Debugger) -> None:
    at(opened, "instruction:i32.store")
    opened.inside.assign("s1", "0x7fffffff").result(WAIT)
    opened.step().result(WAIT)
    assert opened.memory().read(100, 4) == b"\xff\xff\xff\x7f"


def test_another_local_of_a_function_further_out(opened: Debugger) -> None:
    at(opened, "function:twice")
    opened.inside.assign("l2", "5", level=1).result(WAIT)
    assert opened.inside.activations().result(WAIT)[1].locals[2].value == 5


def test_another_global_and_other_bytes(opened: Debugger) -> None:
    at(opened, "instruction:i32.store8")
    opened.inside.assign("g0", "-1").result(WAIT)
    opened.inside.write(0, b"bye").result(WAIT)
    assert opened.inside.globals().result(WAIT)[0].value == -1
    assert opened.memory().read(0, 5) == b"byelo"
    assert [branch.name for branch in opened.branches] == ["run", "edit 1", "edit 2"]


def test_bytes_that_are_changed_before_a_host_call_are_what_it_is_given_later(opened: Debugger) -> None:
    at(opened, "function:twice")
    opened.inside.write(0, b"bye, ").result(WAIT)
    assert [line.log.text for line in opened.tape.lines] == ["wasm log wat: bye, "] * 2


def test_an_edit_is_there_again_from_wherever_one_comes(opened: Debugger) -> None:
    at(opened, "instruction:i32.store")
    opened.inside.assign("l3", "60").result(WAIT)
    for _ in range(3):
        opened.step().result(WAIT)
    before = moment(opened), opened.stop.moment if opened.stop is not None else None
    opened.goto(len(opened.tape)).result(WAIT)
    assert opened.goto(1).result(WAIT).position == 1
    assert before[1] is not None
    assert opened.inside.goto(before[1]).result(WAIT).moment == before[1]
    assert moment(opened) == before[0]


def test_what_follows_in_later_callbacks_follows_from_the_edit(opened: Debugger) -> None:
    at(opened, "instruction:global.set")
    opened.inside.assign("s0", "1000").result(WAIT)
    opened.goto(len(opened.tape)).result(WAIT)
    opened.run_to("function:count", back=True).result(WAIT)
    opened.run_to("function:proxy_on_request_headers", back=True).result(WAIT)
    assert opened.inside.globals().result(WAIT)[0].value == 1000


@pytest.mark.parametrize(
    ("slot", "text", "why"),
    [
        ("l9", "1", "there is no l9 here; there is l0, l1, l2, l3"),
        ("x", "1", "no place for a value"),
        ("l3", "many", "`many` is no value for l3, which is i32"),
        ("l3", "5000000000", "does not fit into l3, which has 32 bits"),
        ("s7", "1", "there is no s7 here; there is s0, s1"),
        ("g3", "1", "there is no g3 here; there is g0"),
    ],
)
def test_what_cannot_be_changed_says_why(opened: Debugger, slot: str, text: str, why: str) -> None:
    at(opened, "instruction:i32.store")
    with pytest.raises(InputError, match=why):
        opened.inside.assign(slot, text).result(WAIT)
    assert len(opened.branches) == 1


def test_bytes_outside_of_memory_cannot_be_changed(opened: Debugger) -> None:
    at(opened, "instruction:i32.store")
    with pytest.raises(InputError, match="outside the memory of 65,536 bytes"):
        opened.inside.write(65_530, b"seven bytes").result(WAIT)


def test_between_callbacks_nothing_can_be_changed(opened: Debugger) -> None:
    opened.goto(len(opened.tape)).result(WAIT)
    opened.proceed().result(WAIT)
    with pytest.raises(InputError, match="go to a callback"):
        opened.inside.write(0, b"x").result(WAIT)


def test_a_session_leaves_out_branches_that_were_edited(opened: Debugger) -> None:
    at(opened, "instruction:i32.store")
    opened.inside.assign("l3", "60").result(WAIT)
    assert [saved_branch(each) for each in opened.branches] == [None, None]
    assert [str(each.edit) for each in opened.branches] == ["None", "l3 = 60"]
