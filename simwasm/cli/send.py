"""`simwasm send`: curl with the plugin in the way. The response goes to standard output, the rest to standard error."""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace

from simwasm.answers import FromServer, Server, read_response
from simwasm.cli import output, problems, setup
from simwasm.cli.asking import asked_exchange
from simwasm.cli.collecting import collecting
from simwasm.cli.watch import Watch, watching
from simwasm.engines.find import engine as find_engine
from simwasm.errors import InputError
from simwasm.host.access_log import access_log_line
from simwasm.host.outcome import Outcome
from simwasm.replay.lines import outcome_json
from simwasm.session import recorded

_NOWHERE = "127.0.0.1:80"


def command(words: Namespace) -> int:
    """Send; 0, or 1 if the plugin trapped, the status was not the expected one, or there must be no problem."""
    if words.upstream and words.respond:
        raise InputError("--upstream asks a server and --respond makes up its answer: give one of them")
    if words.network:
        raise InputError(
            "--network: what is sent here is an HTTP request; `simwasm run` plays TCP connections"
        )
    server = Server(words.upstream) if words.upstream else None
    now = time.time_ns()
    answer = read_response(words.respond) if words.respond else None
    exchange = asked_exchange(words, server, answer, now)
    plugins = setup.plugins(words)
    printer = (sys.stderr, output.ink(words, sys.stderr)) if words.verbose else None
    engine = find_engine(words.engine).name
    with collecting(words, plugins) as collector, watching(words, plugins, engine, now, printer) as watch:
        session = setup.session(
            words,
            plugins,
            observers=watch.observers,
            now_ns=now,
            on_log=watch.on_log,
            ask_upstream=FromServer(server) if server else recorded,
            collector=collector,
        )
        watch.start(session)
        (outcome,) = session.replay([exchange])
        watch.finished(outcome)
        session.stop()
        watch.stopped()
    _tell(words, outcome, watch)
    if words.access_log:
        print(access_log_line(outcome, "upstream", server.address if server else _NOWHERE), file=sys.stderr)
    output.missed(session.proxy.faults)
    problems.tell(words, watch.problems, watch.costs, watch.exchanges)
    if words.strict and len(watch.problems):
        return 1
    if words.expect is not None and outcome.status != words.expect:
        print(f"simwasm: the status is {outcome.status}, not {words.expect}", file=sys.stderr)
        return 1
    return int(session.proxy.traps > 0)


def _tell(words: Namespace, outcome: Outcome, watch: Watch) -> None:
    """Print what the client got, and whether it had to wait for ever."""
    if words.json:
        instructions = watch.costs.since() if watch.costs else None
        print(json.dumps(problems.with_new(outcome_json(outcome, instructions), watch.problems)))
    else:
        output.write_response(outcome.response, outcome.reset, output.stdout())
    if outcome.waiting:
        print(f"simwasm: it hung: {outcome.waiting}", file=sys.stderr)
