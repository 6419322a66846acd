"""The words of the command line: one function a command, options that several commands share told once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from simwasm import __version__
from simwasm.cli import options
from simwasm.cli.bring import bring
from simwasm.cli.words_traces import COMMANDS
from simwasm.cli.words_traffic import COMMANDS as TRAFFIC_COMMANDS

_RUN = """examples:
  simwasm run samples/allow_header/plugin.wasm traces/traffic/allow_header.har
  simwasm run plugin.wasm login.har --config @plugin.json --trace login.trace.jsonl
  simwasm run plugin.wasm day.jsonl --callout auth=403 --quiet
  simwasm run wasmplugin.yaml captures/ --filter 'path:/api/*' --workers 4 --report day.html"""

_SEND = """examples:
  simwasm send plugin.wasm GET /status/418
  simwasm send plugin.wasm POST /login -H 'content-type: application/json' -d '{"user": "ann"}' -v
  simwasm send plugin.wasm GET / --upstream http://127.0.0.1:8000 --access-log
  simwasm send plugin.wasm --curl "curl https://shop.example/login -H 'allow: true'" -v"""

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
    found, behind = top.parse_known_args(list(_webbed(argv)))
    if behind:
        found.traffic = _more_traffic(found, behind, top)
    found.argv = list(argv)
    return found


def _more_traffic(found: argparse.Namespace, behind: list[str], top: argparse.ArgumentParser) -> list[str]:
    """The traffic with those names of it that stand behind an option, which argparse leaves over."""
    traffic: object = getattr(found, "traffic", None)
    if not isinstance(traffic, list) or any(word.startswith("-") and word != "-" for word in behind):
        top.error(f"unrecognized arguments: {' '.join(behind)}")
    return [*traffic, *behind]


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
    for each in (*TRAFFIC_COMMANDS, *COMMANDS):
        each.add(_command(commands, each.name, each.help, each.examples))
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
    words.add_argument("plugin", metavar="PLUGIN", help=options.PLUGIN)
    words.add_argument("traffic", metavar="TRAFFIC", nargs="+", help=options.TRAFFIC)
    options.replay(words)
    words.add_argument(
        "--golden", metavar="FILE", default="",
        help="write a new golden trace, which `simwasm check` plays again and compares",
    )  # fmt: skip
    words.add_argument(
        "--redact", metavar="WHAT", action="append", default=[],
        help="what the golden must not tell: header:NAME, property:PATH, text:REGEX; keep:NAME hides less",
    )  # fmt: skip
    words.add_argument(
        "--together",
        action="store_true",
        help="run exchanges by their recorded times, not one after the other",
    )
    options.plugin(words)
    options.host(words)
    options.output(words)


def _debug(words: argparse.ArgumentParser) -> None:
    words.add_argument(
        "plugin",
        metavar="PLUGIN|SESSION|TRACE",
        nargs="?",
        help=f"{options.PLUGIN}; a .simwasm file with a session; or a trace, to be looked at without its plugin",
    )
    words.add_argument("traffic", metavar="TRAFFIC", nargs="*", help=options.TRAFFIC)
    options.selection(words.add_argument_group("the traffic"))
    group = words.add_argument_group("the debugger")
    group.add_argument("--row", metavar="N", type=int, default=0, help="go to this row at once")
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
    options.color(group)
    options.plugin(words)
    options.host(words)


def _send(words: argparse.ArgumentParser) -> None:
    words.add_argument("plugin", metavar="PLUGIN", help=options.PLUGIN)
    words.add_argument("method", metavar="METHOD", nargs="?", help="GET, POST, …")
    words.add_argument("path", metavar="PATH", nargs="?", help="the path, or a whole http:// address")
    words.add_argument(
        "--curl", metavar="COMMAND",
        help="a curl command in place of METHOD and PATH, as browsers copy it; @FILE reads a file, @- standard input",
    )  # fmt: skip
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
    options.plugin(words)
    options.host(words)
    options.output(words)


def _verify(words: argparse.ArgumentParser) -> None:
    words.add_argument("plugin", metavar="PLUGIN", help=options.PLUGIN)
    words.add_argument("traffic", metavar="TRAFFIC", nargs="+", help=options.TRAFFIC)
    options.selection(words.add_argument_group("the traffic"))
    group = words.add_argument_group("the comparison")
    group.add_argument(
        "--ignore", metavar="HEADER", action="append", default=[],
        help="a header that may have any value, such as one with random numbers",
    )  # fmt: skip
    group.add_argument("--json", action="store_true", help="print the comparison as JSON")
    options.color(group)
    options.plugin(words)
    group = words.add_argument_group("the host")
    options.engine(group)
    options.callout(group)


def _import_envoy_log(words: argparse.ArgumentParser) -> None:
    words.add_argument("log", metavar="LOG", help="what Envoy or Istio's proxy wrote")
    words.add_argument("-o", "--output", metavar="OUT.jsonl", help="the trace (default: LOG.trace.jsonl)")
    words.add_argument("--plugin", metavar="PLUGIN.wasm", help="the plugin that ran, for its name and ABI")
    words.add_argument("--name", metavar="NAME", help="its name (default: from the file, or from the log)")
    words.add_argument("--thread", metavar="N", type=int, help="which worker (default: the busiest)")
    words.add_argument(
        "--compare", metavar="TRACE", help="print how a trace of simwasm's differs; exit with 1 if it does"
    )
    options.color(words.add_argument_group("output"))


def _inspect(words: argparse.ArgumentParser) -> None:
    words.add_argument("plugin", metavar="PLUGIN", help="the .wasm file, an image with it, or an address")
    words.add_argument("--json", action="store_true", help="print it as JSON")
    words.add_argument(
        "--functions", metavar="N", type=int, default=10, help="how many of the biggest functions"
    )
    words.add_argument(
        "--debug-file", metavar="FILE", default="", help="its debug information, if that is in another file"
    )


def _disasm(words: argparse.ArgumentParser) -> None:
    words.add_argument("plugin", metavar="PLUGIN", help="the .wasm file, an image with it, or an address")
    _function(words)
    words.add_argument("--list", action="store_true", help="list the functions, without their code")
    shape = words.add_mutually_exclusive_group()
    shape.add_argument("--flat", action="store_true", help="one instruction a line (the default)")
    shape.add_argument("--folded", action="store_true", help="nested expressions")
    shape.add_argument(
        "--native", action="store_true", help="the machine code that the engine made, beside the instructions"
    )
    words.add_argument("--source", action="store_true", help="the lines of source between them")
    options.debug_info(words)
    words.add_argument(
        "--engine", metavar="NAME", help="whose machine code: wasmtime or wasmer (default: wasmtime)"
    )
    words.add_argument("--json", action="store_true", help="print it as JSON, one function a line")
    options.color(words.add_argument_group("output"))


def _transpile(words: argparse.ArgumentParser) -> None:
    words.add_argument("plugin", metavar="PLUGIN", help="the .wasm file, an image with it, or an address")
    _function(words)
    words.add_argument(
        "-o", "--output", metavar="OUT.py", help="write a file that can be imported and runs on its own"
    )
    options.debug_info(words)
    options.color(words.add_argument_group("output"))


def _function(words: argparse.ArgumentParser) -> None:
    words.add_argument(
        "-f", "--function", metavar="FUNCTION",
        help="one function: its export, its name or a part of it, its index, or an offset in it (default: all)",
    )  # fmt: skip


def _profile(words: argparse.ArgumentParser) -> None:
    words.add_argument("plugin", metavar="PLUGIN", help=options.PLUGIN)
    words.add_argument("traffic", metavar="TRAFFIC", nargs="+", help=options.TRAFFIC)
    options.selection(words.add_argument_group("the traffic"))
    group = words.add_argument_group("the counts")
    group.add_argument(
        "--top", metavar="N", type=int, default=20, help="how many functions and lines (default: 20)"
    )
    group.add_argument("--start", action="store_true", help="count what the plugin does when it starts, too")
    group.add_argument("--speedscope", metavar="FILE", default="", help="write them for speedscope.app, too")
    group.add_argument("--json", action="store_true", help="print them as JSON, a line for each VM")
    options.color(group)
    options.plugin(words)
    options.host(words)


def _abi(words: argparse.ArgumentParser) -> None:
    words.add_argument(
        "name", metavar="NAME", nargs="?", help="a function, callback or enum, or a part of its name"
    )
    words.add_argument(
        "--version", dest="abi", metavar="V", choices=("0.1.0", "0.2.0", "0.2.1"), help="one version"
    )


def _completion(words: argparse.ArgumentParser) -> None:
    words.add_argument("shell", choices=("bash", "zsh"), help="which shell")
