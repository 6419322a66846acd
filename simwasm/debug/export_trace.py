"""A run on tape, or one exchange of it, as the trace file that `--trace` would have written."""

from __future__ import annotations

from collections.abc import Iterator

from simwasm.debug.export_subject import Subject
from simwasm.debug.tape import Span, Tape
from simwasm.recording import Recording
from simwasm.trace.event import Entered, Event


def trace(subject: Subject) -> str:
    """The whole run."""
    tape = subject.tape
    ended = [span for span in tape.spans if span.outcome is not None]
    return _written(subject, tape.events, sorted(ended, key=lambda span: span.last))


def trace_exchange(subject: Subject) -> str:
    """One exchange: its callbacks, those of the plugin itself meanwhile, and what became of it."""
    span = subject.exchange_span()
    return _written(subject, _inside(subject.tape, span), [span] if span.outcome is not None else [])


def _inside(tape: Tape, span: Span) -> Iterator[Event]:
    last = span.last or len(tape)
    position = span.first
    while position <= last:
        event = tape.at(position)
        end = (tape.end_of(position) or last) if isinstance(event, Entered) else position
        if isinstance(event, Entered) and tape.span_of(event) in (span, None):
            yield from tape.events[position - 1 : end]
        position = end + 1


def _written(subject: Subject, events: Iterator[Event] | list[Event], ended: list[Span]) -> str:
    """Events through a recorder, with what became of exchanges where they ended."""
    inputs = subject.inputs
    lines: list[str] = []
    record = Recording(lines.append, inputs.plugins, profile=inputs.profile, now_ns=inputs.now_ns)
    waiting = list(ended)
    for event in events:
        while waiting and waiting[0].last < event.seq:
            _finish(record, waiting.pop(0))
        record(event)
    for span in waiting:
        _finish(record, span)
    record.flush()
    return "".join(lines)


def _finish(record: Recording, span: Span) -> None:
    if span.outcome is not None:
        record.finished(span.outcome)
