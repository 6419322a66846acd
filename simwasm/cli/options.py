"""Options that several commands share, told once: those of the plugin, of the host, of the output."""

from __future__ import annotations

import argparse

_FAIL_POLICIES = ("closed", "open", "reload", "open-at-once")
_LOG_LEVELS = ("trace", "debug", "info", "warn", "error", "critical")


PLUGIN = "the module (.wasm, an image such as oci://…, http://…), or the YAML that configures it"
TRAFFIC = "recorded exchanges, of any format: files, folders, patterns, - for standard input"


def replay(words: argparse.ArgumentParser) -> None:
    """Which exchanges are replayed, how fast and by whom."""
    group = words.add_argument_group("the replay")
    selection(group)
    group.add_argument(
        "--repeat", metavar="N", type=int,
        help="replay the traffic N times and tell how the plugin's memory grows, in bytes a request",
    )  # fmt: skip
    group.add_argument(
        "--pace", choices=("fast", "recorded"), default="fast",
        help="as fast as it goes, or with the times between requests as they were recorded (default: fast)",
    )  # fmt: skip
    group.add_argument(
        "--workers", metavar="N", type=int, default=1,
        help="processes that share the exchanges, each with plugins and shared data of its own (default: 1)",
    )  # fmt: skip
    group.add_argument(
        "--cluster", metavar="ADDRESS", default="",
        help="the scheduler of a Dask cluster (HOST:PORT) that replays in place of processes here; needs "
        "pip install 'simwasm[dask]'",
    )  # fmt: skip
    group.add_argument(
        "--summary", choices=("auto", "always", "never"), default="auto",
        help="what it all comes to, in the end: where there is more than the lines tell at a glance (auto), always, "
        "which is a line more with --json, or never (default: auto)",
    )  # fmt: skip
    group.add_argument(
        "--report", metavar="OUT.html", default="", help="write what it all comes to as a page with charts"
    )


def selection(group: argparse._ArgumentGroup) -> None:
    """Which exchanges of the traffic are meant."""
    group.add_argument(
        "--filter", metavar="FILTER", default="",
        help="only exchanges that this text of the filter language fits: path:/api/* status>=500",
    )  # fmt: skip
    group.add_argument("--limit", metavar="N", type=int, help="end after N exchanges")


def plugin(words: argparse.ArgumentParser) -> None:
    """What is told of a plugin."""
    group = words.add_argument_group(
        "the plugin",
        "What is said here of a configuration's plugin is said in place of what it says itself; where it has several, "
        "choose one by --name, or give each its module by --module NAME=FILE.",
    )
    group.add_argument(
        "--module",
        metavar="[NAME=]FILE",
        action="append",
        default=[],
        help="its module in place of the one that a configuration names; of which plugin, if there are several",
    )
    group.add_argument(
        "--config",
        metavar="TEXT",
        default="",
        help="its configuration; @FILE reads a file, @- standard input",
    )
    group.add_argument(
        "--vm-config", metavar="TEXT", default="", help="its VM's configuration; @FILE reads a file"
    )
    group.add_argument(
        "--name",
        metavar="NAME",
        help="its name in the log (default: from the file); of several plugins, the one to run",
    )
    group.add_argument(
        "--listener", metavar="NAME", default="",
        help="which listener of an Envoy configuration, if several have plugins",
    )  # fmt: skip
    group.add_argument("--root-id", metavar="ID", default="", help="its root_id")
    group.add_argument("--vm-id", metavar="ID", default="", help="its vm_id")
    group.add_argument(
        "--env", metavar="K=V", action="append", default=[], help="an environment variable of its VM"
    )
    group.add_argument(
        "--fail-policy", choices=_FAIL_POLICIES, default="closed",
        help="what becomes of requests once it has trapped: refused (closed), passed on (open; open-at-once: the one "
        "that met the trap, too), or refused until it is started anew (reload)",
    )  # fmt: skip
    group.add_argument(
        "--fail-open",
        dest="fail_policy",
        action="store_const",
        const="open",
        help="the same as --fail-policy open",
    )
    group.add_argument(
        "--network",
        action="store_true",
        help="it is in the way of TCP connections, not of HTTP; of several plugins, those run",
    )
    group.add_argument(
        "--reload-after", metavar="MS", type=int, default=1000,
        help="how long after its last start it is started anew (default: 1000)",
    )  # fmt: skip
    group.add_argument(
        "--allow", metavar="NAME", action="append", default=[],
        help="a function it may call, or a callback that may be called; without any, all are allowed",
    )  # fmt: skip
    debug_info(group)


def debug_info(words: argparse._ActionsContainer) -> None:
    """Where a plugin's debug information is."""
    words.add_argument(
        "--debug-file", metavar="FILE", default="",
        help="its debug information, if that is in another file than the one it names itself",
    )  # fmt: skip
    words.add_argument(
        "--source-map", metavar="OLD=NEW", action="append", default=[],
        help="the folder here (NEW) that has the sources of a folder of the build (OLD)",
    )  # fmt: skip


def host(words: argparse.ArgumentParser) -> None:
    """How the host is."""
    group = words.add_argument_group("the host")
    engine(group)
    callout(group)
    group.add_argument(
        "--log-level", choices=_LOG_LEVELS, default="info", help="what the plugin logs (default: info)"
    )
    group.add_argument(
        "--fuel",
        metavar="N",
        type=int,
        help="instructions a callback may take, 1000 a host call (default: 1e9)",
    )
    group.add_argument("--memory", metavar="MIB", type=int, help="memory a plugin may have (default: 1024)")
    group.add_argument(
        "--buffer-limit",
        metavar="BYTES",
        type=int,
        help="how much of a body may be held back (default: 1 MiB)",
    )
    group.add_argument(
        "--fault", metavar="FAULT", action="append", default=[],
        help="what goes wrong: callout:auth#2=reset, trap:proxy_log#3, malloc#2, upstream=reset@100, client=gone@10, "
        "status:proxy_set_shared_data=CAS_MISMATCH",
    )  # fmt: skip
    group.add_argument(
        "--concurrency",
        metavar="N",
        type=int,
        default=1,
        help="workers in one process, as Envoy has: shared data is of all, plugins are of each (default: 1)",
    )
    group.add_argument("--seed", metavar="N", type=int, default=0, help="of everything random (default: 0)")


def engine(group: argparse._ArgumentGroup) -> None:
    """Which engine runs it."""
    group.add_argument(
        "--engine", metavar="NAME", help="wasmer, wasmtime or python (default: the first that loads)"
    )


def callout(group: argparse._ArgumentGroup) -> None:
    """Who answers a plugin's callouts."""
    group.add_argument(
        "--callout", metavar="CLUSTER=ANSWER", action="append", default=[],
        help="who answers a plugin's callouts: a status, reset, refused, timeout, no-host, http://…, or "
        "a script's file",
    )  # fmt: skip


def output(words: argparse.ArgumentParser) -> None:
    """What a run prints and keeps."""
    group = words.add_argument_group("output")
    group.add_argument("--trace", metavar="OUT.jsonl", help="write the trace to a file; - is standard output")
    group.add_argument(
        "--format", choices=("arrows", "envoy"), default="arrows",
        help="crossings as arrows, or as Envoy prints them at wasm:trace (default: arrows)",
    )  # fmt: skip
    group.add_argument(
        "--timing",
        action="store_true",
        help="note in the trace (--trace) what each call took and cost; two runs then differ",
    )
    group.add_argument(
        "--coverage",
        metavar="FILE",
        default="",
        help="keep what of the plugin was run, for `simwasm coverage`",
    )
    group.add_argument("--access-log", action="store_true", help="print an access log line as Istio does")
    group.add_argument(
        "--expect", metavar="STATUS", type=int, help="exit with 1 if the client got another status"
    )
    group.add_argument(
        "--strict",
        action="store_true",
        help="exit with 1 if there is any problem, which are listed at the end, or a broken entry in the traffic",
    )
    group.add_argument(
        "--cost", action="store_true",
        help="list what callbacks and host calls cost, in instructions, the same on every engine and machine",
    )  # fmt: skip
    group.add_argument("--json", action="store_true", help="print outcomes as JSON, one a line")
    group.add_argument("--quiet", action="store_true", help="print neither crossings nor the log, but errors")
    color(group)


def color(group: argparse._ArgumentGroup) -> None:
    """Whether there are colours."""
    group.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colours (default: auto)"
    )
