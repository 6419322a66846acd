"""`info`: what can be seen at the stop, a table of subjects."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from simwasm.abi.enums import BufferType
from simwasm.debug.arguments import arguments
from simwasm.debug.plain import branching, breaking, listing, stepping
from simwasm.debug.plain.command import Command, split, wants
from simwasm.debug.plain.desk import Desk
from simwasm.debug.plain.examine import displayed
from simwasm.debug.plain.rowtext import row_text
from simwasm.debug.waiting import coming, lasting, status
from simwasm.errors import InputError
from simwasm.trace.rows import Kind
from simwasm.trace.text import value_text

_PREVIEW = 400


class Subject(NamedTuple):
    """Something that `info` tells about."""

    word: str
    tell: Callable[[Desk, str], None]
    help: str
    others: tuple[str, ...] = ()
    """Shorter words for it."""


def _without_words(tell: Callable[[Desk], None]) -> Callable[[Desk, str], None]:
    return lambda desk, rest: tell(desk)


def _headers(desk: Desk, rest: str) -> None:
    state, some = desk.debugger.state(), False
    for map in state.maps:
        if not map.there or (rest and rest.lower() not in map.kind.name.lower()):
            continue
        some = True
        why = map.read.why or map.write.why
        desk.say(f"{map.kind.name}{f' · {why}' if why else ''}", "callback")
        for name, value in map.entries:
            desk.say(f"  {value_text(name)[1:-1]}: {value_text(value)[1:-1]}")
    if not some:
        desk.say("there are no headers here" + (f" in a map called `{rest}`" if rest else ""))


def _body(desk: Desk, rest: str) -> None:
    state, some = desk.debugger.state(), False
    for body in state.bodies:
        named = not rest or rest.lower() in body.kind.name.lower()
        if not named or not (body.data or body.buffered or body.received or rest):
            continue
        some = True
        desk.say(body.kind.name, "callback")
        if body.kind in (BufferType.HTTP_REQUEST_BODY, BufferType.HTTP_RESPONSE_BODY):
            whole = "complete" if body.complete else "more comes"
            desk.say(
                f"  {body.received:,} bytes came in ({whole}), {body.sent:,} went on, {len(body.buffered):,} wait"
            )
        if body.read.allowed:
            desk.say(f"  {len(body.data):,} bytes: {value_text(body.data, _PREVIEW)}")
        else:
            desk.say(f"  cannot be read: {body.read.why}")
    if not some:
        desk.say("there is no body here")


def _properties(desk: Desk, rest: str) -> None:
    for each in desk.debugger.state().properties:
        if rest and not each.name.startswith(rest):
            continue
        if not each.why:
            value = value_text(each.value, _PREVIEW)
            desk.say(f"  {value_text(each.name)[1:-1]} = {value}{' (set by a plugin)' if each.own else ''}")
        elif rest:
            desk.say(f"  {each.name}: {each.why}")


def _shared(desk: Desk, rest: str) -> None:
    state = desk.debugger.state()
    for each in state.shared:
        desk.say(f"  {value_text(each.key)} = {value_text(each.value)}  cas {each.cas}")
    for queue in state.queues:
        items = ", ".join(value_text(item, 40) for item in queue.items[:10])
        desk.say(f"  queue {queue.id} {value_text(queue.name)}: {len(queue.items)} items {items}".rstrip())
    if not state.shared and not state.queues:
        desk.say("nothing is shared")


def _metrics(desk: Desk, rest: str) -> None:
    found = desk.debugger.state().metrics
    for each in found:
        value = f"samples {', '.join(map(str, each.samples[:20]))}" if each.samples else f"{each.value:,}"
        desk.say(f"  {each.kind.name.lower()} {value_text(each.name)[1:-1]} = {value}")
    if not found:
        desk.say("no metric is defined")


def _memory(desk: Desk, rest: str) -> None:
    size = desk.debugger.memory().size()
    desk.say(f"{size:,} bytes, 0x0 to 0x{max(size - 1, 0):x}; `x/32xb ADDRESS` shows them")


def _callouts(desk: Desk, rest: str) -> None:
    state = desk.debugger.state()
    for each in state.callouts:
        kind = "gRPC stream " if each.stream else ""
        whose = f"exchange #{each.exchange}" if each.exchange else "the plugin itself"
        desk.say(
            f"  {kind}{each.id} to {value_text(each.cluster)}  for {whose}, {coming(state, each)}, "
            f"timeout {each.timeout_ms:,} ms"
        )
    for tick in state.ticks:
        due = "" if tick.due_ns is None else f", the next in {lasting(max(0, tick.due_ns - state.now_ns))}"
        desk.say(f"  {tick.vm} ticks each {tick.period_ms:,} ms{due}")
    if not state.callouts and not state.ticks:
        desk.say("no callout is in flight, no tick is set")


def _plugin(desk: Desk, rest: str) -> None:
    recipe, state = desk.start.recipe, desk.debugger.state()
    if recipe is not None:
        sizes = (len(plugin.wasm) for plugin in desk.debugger.inputs.plugins)
        desk.say(f"{recipe.plugin}  {' + '.join(f'{size:,}' for size in sizes)} bytes")
    for vm in state.vms:
        plugin = desk.debugger.inputs.plugin_in(vm.name)
        digest = f"  sha256 {plugin.sha256}" if plugin is not None else ""
        desk.say(f"  {vm.name}  abi {vm.abi}  {vm.fail_policy}{digest}")
        desk.say(f"  {vm.calls:,} callbacks until now, contexts {', '.join(map(str, vm.contexts)) or 'none'}")
        if vm.failed:
            desk.say(f"  failed: {vm.failed}", "trap")


def _streams(desk: Desk, rest: str) -> None:
    listing.streams(desk, rest)
    state = desk.debugger.state()
    for stream in state.streams:
        desk.say(f"  #{stream.exchange} is open: {status(state, stream)}")


def _row(desk: Desk, rest: str) -> None:
    row = desk.row
    span = desk.debugger.tape.span_of(row.entered)
    whose = f", exchange #{span.index + 1} {span.exchange.label}" if span is not None else ""
    desk.say(f"row {row.index + 1:,}, position {row.position:,}, context {row.entered.context}{whose}")
    desk.say(f"  {row_text(row)}")
    over = row.kind in (Kind.RETURN, Kind.TRAP)
    try:
        memory = desk.debugger.memory()
    except InputError:
        memory = None
    found = arguments(
        row.entered, row.ended if over else None, memory=memory, tape=desk.debugger.tape, after=over
    )
    for each in found:
        where = "" if each.pointer is None else f"  at 0x{each.pointer:x}"
        size = "" if each.size is None else f", {each.size:,} bytes"
        note = f"  ({each.note})" if each.note else ""
        desk.say(f"    {each.name} = {each.text}{where}{size}{note}", "trap" if each.bad else "")


def _displays(desk: Desk, rest: str) -> None:
    for number in desk.displays:
        desk.say(displayed(desk, number))
    if not desk.displays:
        desk.say("nothing is watched; `display body.request` shows a value at every stop")


SUBJECTS = (
    Subject("breakpoints", _without_words(breaking.breakpoints), "where the run stops", ("b", "br")),
    Subject("watches", _displays, "the expressions shown at every stop", ("display",)),
    Subject("row", _row, "the call one is at, its arguments and where they lie", ("args",)),
    Subject("stack", lambda desk, rest: listing.where(desk, rest), "the calls one is in", ("s", "frame")),
    Subject("headers", _headers, "header maps; a part of a map's name picks some"),
    Subject("body", _body, "bodies and other buffers"),
    Subject(
        "properties",
        _properties,
        "properties that have a value; a path's beginning picks some, with reasons",
        ("props",),
    ),
    Subject("shared", _shared, "shared data and queues"),
    Subject("metrics", _metrics, "counters, gauges, histograms"),
    Subject("callouts", _callouts, "callouts in flight, and ticks"),
    Subject("memory", _memory, "how much there is"),
    Subject(
        "locals", stepping.locals_here, "what the function at this instruction holds; a number goes outwards"
    ),
    Subject("globals", stepping.globals_here, "the plugin's globals"),
    Subject("streams", _streams, "the exchanges, and how those that are open stand"),
    Subject("problems", lambda desk, rest: listing.problems(desk, rest), "what should not be"),
    Subject("log", listing.log, "the last log lines"),
    Subject("branches", lambda desk, rest: branching.branches(desk, rest), "ways the run went"),
    Subject("plugin", _plugin, "the plugin, and whether it has failed"),
)


def info(desk: Desk, rest: str) -> None:
    """Tell about a subject."""
    word, behind = split(rest)
    found = [each for each in SUBJECTS if word and each.word.startswith(word)]
    exact = [each for each in SUBJECTS if word in (each.word, *each.others)] or found
    if len(exact) != 1:
        names = ", ".join(each.word for each in (found or SUBJECTS))
        if not word:
            raise wants("info", f"SUBJECT, which is one of {names}")
        if found:
            raise InputError(f"info: `{word}` may be {names}: type more of it")
        raise InputError(f"info: there is nothing called `{word}`; there is {names}")
    exact[0].tell(desk, behind)


COMMANDS = (
    Command("info", info, "what can be seen here: headers, body, breakpoints, …", "SUBJECT [PART]", ("i",),
            "\n".join(f"  {each.word:<12} {each.help}" for each in SUBJECTS), group="looking",
            words=lambda desk: (each.word for each in SUBJECTS)),
)  # fmt: skip
