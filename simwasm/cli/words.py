"""The words of the command line: one function a command, options that several commands share told once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from simwasm import __version__
from simwasm.cli.bring import bring

_RUN = """examples:
  simwasm run samples/allow_header/plugin.wasm traces/traffic/allow_header.har
  simwasm run plugin.wasm login.har --config @plugin.json --trace login.trace.jsonl
  simwasm run plugin.wasm day.jsonl --callout auth=403 --quiet"""

_SEND = """examples:
  simwasm send plugin.wasm GET /status/418
  simwasm send plugin.wasm POST /login -H 'content-type: application/json' -d '{"user": "ann"}' -v
  simwasm send plugin.wasm GET / --upstream http://127.0.0.1:8000 --access-log"""

_DEBUG = """examples:
  simwasm debug samples/allow_header/plugin.wasm traces/traffic/allow_header.har
  simwasm debug plugin.wasm login.har --config @plugin.json --plain
  simwasm debug login.simwasm
  simwasm debug plugin.wasm login.har -x commands.txt --batch"""

_VERIFY = """examples:
  simwasm verify samples/allow_header/plugin.wasm traces/traffic/allow_header.har
  simwasm verify plugin.wasm login.har --config @plugin.json --callout auth=403 --ignore x-trace-id

needs the real Envoy: pip install 'simwasm[envoy]'"""

_IMPORT = """examples:
  simwasm import-envoy-log proxy.log --plugin plugin.wasm
  simwasm import-envoy-log proxy.log -o there.jsonl --compare here.jsonl

the log needs lines of wasm:trace: envoy --component-log-level wasm:trace, or
istioctl proxy-config log POD --level wasm:trace"""

_INSPECT = """example:
  simwasm inspect samples/allow_header/plugin.wasm"""

_DISASM = """examples:
  simwasm disasm plugin.wasm -f proxy_on_request_headers
  simwasm disasm plugin.wasm -f 0x1a4f --folded --source
  simwasm disasm plugin.wasm -f proxy_on_request_headers --native

machine code needs capstone: pip install 'simwasm[native]'"""

_PROFILE = """examples:
  simwasm profile samples/allow_header/plugin.debug.wasm traces/traffic/allow_header.har
  simwasm profile plugin.wasm login.har --speedscope login.speedscope.json"""

_TRANSPILE = """examples:
  simwasm transpile plugin.wasm -f proxy_on_request_headers
  simwasm transpile plugin.wasm -o plugin.py"""

_ABI = """examples:
  simwasm abi proxy_http_call
  simwasm abi --version 0.2.1
  simwasm abi MapType"""

_COMPLETION = """examples:
  simwasm completion bash > ~/.local/share/bash-completion/completions/simwasm
  simwasm completion zsh > ~/.zfunc/_simwasm"""

_FAIL_POLICIES = ("closed", "open", "reload", "open-at-once")
_LOG_LEVELS = ("trace", "debug", "info", "warn", "error", "critical")


class _Later:
    """A command whose module is imported when it is called."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __call__(self, words: argparse.Namespace) -> int:
        command: Callable[[argparse.Namespace], int] = bring(self._module).command
        return command(words)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Understand the arguments, or leave with status 2 and a hint."""
    top = parser()
    if not argv:
        top.print_help(sys.stderr)
        raise SystemExit(2)
    found = top.parse_args(list(_webbed(argv)))
    found.argv = list(argv)
    return found


def _webbed(argv: Sequence[str]) -> Iterator[str]:
    """The arguments; what follows --web is its port only if it is a number."""
    for index, word in enumerate(argv):
        follows = argv[index + 1] if index + 1 < len(argv) else ""
        yield "--web=0" if word == "--web" and not follows.isdigit() else word


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="simwasm",
        description="Run, watch and test Istio/Envoy Proxy-Wasm plugins without Envoy.",
        epilog="`simwasm COMMAND --help` shows examples.",
    )
    top.add_argument("--version", action="version", version=f"simwasm {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    _run(_command(commands, "run", "replay recorded traffic through a plugin and print every crossing", _RUN))
    _send(_command(commands, "send", "send one request through a plugin, like curl", _SEND))
    _debug(
        _command(
            commands,
            "debug",
            "stop anywhere in a replay, step forwards and backwards, see everything",
            _DEBUG,
        )
    )
    _verify(
        _command(commands, "verify", "run traffic through simwasm and the real Envoy, and compare", _VERIFY)
    )
    _import_envoy_log(
        _command(
            commands,
            "import-envoy-log",
            "turn a real Envoy's log with wasm:trace lines into a trace",
            _IMPORT,
        )
    )
    _inspect(_command(commands, "inspect", "show what is in a plugin's binary", _INSPECT))
    _disasm(_command(commands, "disasm", "show the code of a plugin's functions", _DISASM))
    _profile(
        _command(
            commands, "profile", "count which functions and lines a replay spends instructions in", _PROFILE
        )
    )
    _transpile(
        _command(
            commands, "transpile", "show a plugin's functions as the Python that they run as", _TRANSPILE
        )
    )
    _abi(_command(commands, "abi", "print the reference of the Proxy-Wasm ABI", _ABI))
    _completion(_command(commands, "completion", "print a shell's completion script", _COMPLETION))
    return top


def _command(commands: Any, name: str, help: str, examples: str) -> argparse.ArgumentParser:
    found: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help,
        description=help[0].upper() + help[1:] + ".",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.set_defaults(command=_Later(f"simwasm.cli.{name.replace('-', '_')}"))
    return found


def _run(words: argparse.ArgumentParser) -> None:
    words.add_argument("plugin", metavar="PLUGIN", help="the .wasm file, or a WasmPlugin (.yaml)")
    words.add_argument(
        "traffic", metavar="TRAFFIC", nargs="+", help="recorded exchanges: HAR, or simwasm's JSON Lines"
    )
    words.add_argument(
        "--repeat", metavar="N", type=int,
        help="replay the traffic N times and tell how the plugin's memory grows, in bytes a request",
    )  # fmt: skip
    _plugin(words)
    _host(words)
    _output(words)


def _debug(words: argparse.ArgumentParser) -> None:
    words.add_argument(
        "plugin",
        metavar="PLUGIN|SESSION",
        nargs="?",
        help="the .wasm file, or a .simwasm file with a session",
    )
    words.add_argument("traffic", metavar="TRAFFIC", nargs="*", help="recorded exchanges, as for `run`")
    group = words.add_argument_group("the debugger")
    group.add_argument(
        "--plain", action="store_true", help="lines instead of a screen, with words as gdb has them"
    )
    group.add_argument(
        "-x", "--commands", metavar="FILE", action="append", default=[],
        help="do what the file's lines say first; implies --plain",
    )  # fmt: skip
    group.add_argument(
        "--batch", action="store_true",
        help="leave after the commands; the first that fails ends it with status 1; implies --plain",
    )  # fmt: skip
    group.add_argument(
        "--web",
        metavar="PORT",
        nargs="?",
        type=int,
        const=0,
        help="show the screen in a browser, on this machine only",
    )
    group.add_argument("--keymap", metavar="FILE", default="", help="which keys do what on the screen")
    group.add_argument("--theme", metavar="NAME", default="", help="the screen's colours")
    group.add_argument(
        "--together",
        action="store_true",
        help="run exchanges by their recorded times, not one after the other",
    )
    _color(group)
    _plugin(words)
    _host(words)


def _send(words: argparse.ArgumentParser) -> None:
    words.add_argument("plugin", metavar="PLUGIN", help="the .wasm file, or a WasmPlugin (.yaml)")
    words.add_argument("method", metavar="METHOD", help="GET, POST, …")
    words.add_argument("path", metavar="PATH", help="the path, or a whole http:// address")
    words.add_argument(
        "-H", "--header", metavar="'K: V'", action="append", default=[], help="a request header"
    )
    words.add_argument(
        "-d", "--data", metavar="BODY", help="the request's body; @FILE reads a file, @- standard input"
    )
    words.add_argument(
        "--respond", metavar="STATUS|FILE", help="what the upstream answers (default: 200, no body)"
    )
    words.add_argument("--upstream", metavar="URL", help="really ask that server")
    words.add_argument("-v", "--verbose", action="store_true", help="print the crossings instead of the log")
    _plugin(words)
    _host(words)
    _output(words)


def _verify(words: argparse.ArgumentParser) -> None:
    words.add_argument("plugin", metavar="PLUGIN", help="the .wasm file, or a WasmPlugin (.yaml)")
    words.add_argument("traffic", metavar="TRAFFIC", nargs="+", help="recorded exchanges, as for `run`")
    group = words.add_argument_group("the comparison")
    group.add_argument(
        "--ignore", metavar="HEADER", action="append", default=[],
        help="a header that may have any value, such as one with random numbers",
    )  # fmt: skip
    group.add_argument("--json", action="store_true", help="print the comparison as JSON")
    _color(group)
    _plugin(words)
    group = words.add_argument_group("the host")
    _engine(group)
    _callout(group)


def _import_envoy_log(words: argparse.ArgumentParser) -> None:
    words.add_argument("log", metavar="LOG", help="what Envoy or Istio's proxy wrote")
    words.add_argument("-o", "--output", metavar="OUT.jsonl", help="the trace (default: LOG.trace.jsonl)")
    words.add_argument("--plugin", metavar="PLUGIN.wasm", help="the plugin that ran, for its name and ABI")
    words.add_argument("--name", metavar="NAME", help="its name (default: from the file, or from the log)")
    words.add_argument("--thread", metavar="N", type=int, help="which worker (default: the busiest)")
    words.add_argument(
        "--compare", metavar="TRACE", help="print how a trace of simwasm's differs; exit with 1 if it does"
    )
    _color(words.add_argument_group("output"))


def _plugin(words: argparse.ArgumentParser) -> None:
    group = words.add_argument_group("the plugin")
    group.add_argument(
        "--module",
        metavar="FILE",
        default="",
        help="its module, where PLUGIN is a WasmPlugin that names an image",
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
    group.add_argument("--name", metavar="NAME", help="its name in the log (default: from the file's name)")
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
        "--network", action="store_true", help="it stands in the way of TCP connections, not of HTTP"
    )
    group.add_argument(
        "--reload-after", metavar="MS", type=int, default=1000,
        help="how long after its last start it is started anew (default: 1000)",
    )  # fmt: skip
    group.add_argument(
        "--allow", metavar="NAME", action="append", default=[],
        help="a function it may call, or a callback that may be called; without any, all are allowed",
    )  # fmt: skip
    _debug_info(group)


def _debug_info(words: argparse._ActionsContainer) -> None:
    words.add_argument(
        "--debug-file", metavar="FILE", default="",
        help="its debug information, if that is in another file than the one it names itself",
    )  # fmt: skip
    words.add_argument(
        "--source-map", metavar="OLD=NEW", action="append", default=[],
        help="the folder here (NEW) that has the sources of a folder of the build (OLD)",
    )  # fmt: skip


def _host(words: argparse.ArgumentParser) -> None:
    group = words.add_argument_group("the host")
    _engine(group)
    _callout(group)
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
        "--workers",
        metavar="N",
        type=int,
        default=1,
        help="workers, each with plugins of its own (default: 1)",
    )
    group.add_argument("--seed", metavar="N", type=int, default=0, help="of everything random (default: 0)")


def _engine(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--engine", metavar="NAME", help="wasmer, wasmtime or python (default: the first that loads)"
    )


def _callout(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--callout", metavar="CLUSTER=ANSWER", action="append", default=[],
        help="who answers a plugin's callouts: a status, reset, refused, timeout, no-host, http://…, or "
        "a script's file",
    )  # fmt: skip


def _output(words: argparse.ArgumentParser) -> None:
    group = words.add_argument_group("output")
    group.add_argument("--trace", metavar="OUT.jsonl", help="write the trace to a file; - is standard output")
    group.add_argument(
        "--format", choices=("arrows", "envoy"), default="arrows",
        help="crossings as arrows, or as Envoy prints them at wasm:trace (default: arrows)",
    )  # fmt: skip
    group.add_argument("--access-log", action="store_true", help="print an access log line as Istio does")
    group.add_argument(
        "--expect", metavar="STATUS", type=int, help="exit with 1 if the client got another status"
    )
    group.add_argument(
        "--strict",
        action="store_true",
        help="exit with 1 if there is any problem; they are listed at the end",
    )
    group.add_argument(
        "--cost", action="store_true",
        help="list what callbacks and host calls cost, in instructions, the same on every engine and machine",
    )  # fmt: skip
    group.add_argument("--json", action="store_true", help="print outcomes as JSON, one a line")
    group.add_argument("--quiet", action="store_true", help="print neither crossings nor the log, but errors")
    _color(group)


def _color(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colours (default: auto)"
    )


def _inspect(words: argparse.ArgumentParser) -> None:
    words.add_argument("plugin", metavar="PLUGIN", help="the .wasm file")
    words.add_argument("--json", action="store_true", help="print it as JSON")
    words.add_argument(
        "--functions", metavar="N", type=int, default=10, help="how many of the biggest functions"
    )
    words.add_argument(
        "--debug-file", metavar="FILE", default="", help="its debug information, if that is in another file"
    )


def _disasm(words: argparse.ArgumentParser) -> None:
    words.add_argument("plugin", metavar="PLUGIN", help="the .wasm file")
    _function(words)
    words.add_argument("--list", action="store_true", help="list the functions, without their code")
    shape = words.add_mutually_exclusive_group()
    shape.add_argument("--flat", action="store_true", help="one instruction a line (the default)")
    shape.add_argument("--folded", action="store_true", help="nested expressions")
    shape.add_argument(
        "--native", action="store_true", help="the machine code that the engine made, beside the instructions"
    )
    words.add_argument("--source", action="store_true", help="the lines of source between them")
    _debug_info(words)
    words.add_argument(
        "--engine", metavar="NAME", help="whose machine code: wasmtime or wasmer (default: wasmtime)"
    )
    words.add_argument("--json", action="store_true", help="print it as JSON, one function a line")
    _color(words.add_argument_group("output"))


def _transpile(words: argparse.ArgumentParser) -> None:
    words.add_argument("plugin", metavar="PLUGIN", help="the .wasm file")
    _function(words)
    words.add_argument(
        "-o", "--output", metavar="OUT.py", help="write a file that can be imported and runs on its own"
    )
    _debug_info(words)
    _color(words.add_argument_group("output"))


def _function(words: argparse.ArgumentParser) -> None:
    words.add_argument(
        "-f", "--function", metavar="FUNCTION",
        help="one function: its export, its name or a part of it, its index, or an offset in it (default: all)",
    )  # fmt: skip


def _profile(words: argparse.ArgumentParser) -> None:
    words.add_argument("plugin", metavar="PLUGIN", help="the .wasm file, or a WasmPlugin (.yaml)")
    words.add_argument("traffic", metavar="TRAFFIC", nargs="+", help="recorded exchanges, as for `run`")
    group = words.add_argument_group("the counts")
    group.add_argument(
        "--top", metavar="N", type=int, default=20, help="how many functions and lines (default: 20)"
    )
    group.add_argument("--start", action="store_true", help="count what the plugin does when it starts, too")
    group.add_argument("--speedscope", metavar="FILE", default="", help="write them for speedscope.app, too")
    group.add_argument("--json", action="store_true", help="print them as JSON, a line for each VM")
    _color(group)
    _plugin(words)
    _host(words)


def _abi(words: argparse.ArgumentParser) -> None:
    words.add_argument(
        "name", metavar="NAME", nargs="?", help="a function, callback or enum, or a part of its name"
    )
    words.add_argument(
        "--version", dest="abi", metavar="V", choices=("0.1.0", "0.2.0", "0.2.1"), help="one version"
    )


def _completion(words: argparse.ArgumentParser) -> None:
    words.add_argument("shell", choices=("bash", "zsh"), help="which shell")
