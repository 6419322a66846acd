"""The commands that go another way: answer in somebody's place, and compare what came of it."""

from __future__ import annotations

from simwasm.abi.enums import Status
from simwasm.debug.branch import Branch
from simwasm.debug.override_text import read_override
from simwasm.debug.plain.command import Command, wants
from simwasm.debug.plain.desk import Desk
from simwasm.debug.plain.stops import move
from simwasm.errors import InputError
from simwasm.trace.align import align
from simwasm.trace.difftext import diff_text
from simwasm.trace.event import Left
from simwasm.trace.rows import Kind, Row

_GROUP = "another way"
_MOST_LINES = 400


def override(desk: Desk, rest: str) -> None:
    """Answer in the place of the host, or of a callback, on a branch of its own."""
    if not rest:
        raise wants("override", "STATUS [VALUE …] at a host call, or RESULT at a callback")
    said = read_override(desk.row.entered.function, rest, _call_id(desk.row))
    move(desk, desk.debugger.override(desk.debugger.tape.opening(desk.row.position), said))
    branch = desk.debugger.branch
    desk.say(f"this is the branch `{branch.name}`; `switch run` goes back, `diff` compares", "reason")


def _call_id(row: Row) -> int:
    """The number that a callout got, so that it gets the same again; 0 if it got none."""
    values = row.ended.values if isinstance(row.ended, Left) else ()
    return values[0] if len(values) == 1 and isinstance(values[0], int) else 0


def branches(desk: Desk, rest: str) -> None:
    """The ways the run went."""
    for branch in desk.debugger.branches:
        here = "▶" if branch is desk.debugger.branch else " "
        desk.say(f"{here} {branch.name}  {len(branch.tape.rows):,} rows{_origin(branch)}")


def _origin(branch: Branch) -> str:
    said = branch.overrides.get(branch.forked_at)
    row = branch.tape.rows.at(branch.forked_at) + 1
    if branch.parent is not None and branch.edit is not None:
        return f"  from `{branch.parent.name}` behind row {row:,}: {branch.edit}"
    if branch.parent is None or said is None:
        return ""
    name = branch.tape.entered(branch.forked_at).function.name
    word = getattr(said.result, "name", said.result) if said.callback else said.status.name
    return f"  from `{branch.parent.name}` at row {row:,}: {name} → {word}"


def _named(desk: Desk, text: str) -> Branch:
    found = [each for each in desk.debugger.branches if each.name == text]
    found = found or [each for index, each in enumerate(desk.debugger.branches) if str(index) == text]
    if not found:
        names = ", ".join(f"`{each.name}`" for each in desk.debugger.branches)
        raise InputError(f"there is no branch `{text}`; there is {names}")
    return found[-1]


def switch(desk: Desk, rest: str) -> None:
    """Go to the same place on another branch."""
    if not rest:
        raise wants("switch", "BRANCH")
    move(desk, desk.debugger.switch(_named(desk, rest)))


def diff(desk: Desk, rest: str) -> None:
    """Compare this branch with another one."""
    here = desk.debugger.branch
    other = _named(desk, rest) if rest else here.parent
    if other is None:
        raise InputError("diff: there is nothing to compare with; `override` makes a branch")
    found = align(other.tape.rows, here.tape.rows)
    if found.same:
        desk.say(f"`{other.name}` and `{here.name}` do not differ")
        return
    desk.say(f"--- {other.name}\n+++ {here.name}")
    for number, text in enumerate(diff_text(found, around=1, ink=desk.ink)):
        if number == _MOST_LINES:
            desk.say("… and more; `export` writes all of it")
            break
        desk.write(text)


def reload(desk: Desk, rest: str) -> None:
    """Read the plugin again, and stand at the same place of its run."""
    from simwasm.debug.start import read_inputs

    recipe = desk.start.recipe
    if recipe is None:
        raise InputError("reload: nothing is known of where the plugin came from")
    inputs = read_inputs(recipe, desk.say)
    desk.say(f"{recipe.plugin} {inputs.since(desk.debugger.inputs)}")
    move(desk, desk.debugger.reload(inputs))


def _names(desk: Desk) -> tuple[str, ...]:
    return tuple(branch.name for branch in desk.debugger.branches)


def _answers(desk: Desk) -> tuple[str, ...]:
    row = desk.row
    returned = row.entered.function.result
    if row.kind is Kind.HOST_CALL or returned is None or returned.enum is None:
        return tuple(Status.__members__)
    return tuple(member.name for member in returned.enum)


COMMANDS = (
    Command("override", override, "answer in the place of the host, or of the callback, on a branch of its own",
            "STATUS [VALUE, …] | RESULT", (), """At a host call:      override NOT_FOUND       override OK "alice"
At a callback:       override Continue        override 1""", group=_GROUP, words=_answers),
    Command("branches", branches, "the ways the run went", group=_GROUP),
    Command("switch", switch, "go to the same place on another branch", "BRANCH", group=_GROUP, words=_names),
    Command("diff", diff, "compare this branch with the one it left, or with another", "[BRANCH]", group=_GROUP,
            words=_names),
    Command("reload", reload, "read the plugin again and stand at the same place", group=_GROUP),
)  # fmt: skip
