"""CEL by the library `cel-python`, made to behave like the one in Envoy.

What differs there, and is put right here or in `cel_functions`: numbers of different types can be compared, values of
different types are merely not equal, arithmetic never mixes types, and an unknown function is found out at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from simwasm.errors import EngineUnavailable
from simwasm.host.context import Context
from simwasm.host.property_values import Value

_MACROS = frozenset(("has", "all", "exists", "exists_one", "map", "filter"))
_TYPES = frozenset("bool bytes double duration int list map null_type string timestamp type uint".split())
_CALLS = ("ident_arg", "dot_ident_arg", "member_dot_arg")
_WRAPPED = "google.protobuf."
_INT, _UINT = range(-(1 << 63), 1 << 63), range(1 << 64)
_BROKEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError)
"""What the library lets through of expressions that it does not expect."""


class Wrong(Exception):
    """An expression that cannot be parsed, made or evaluated, and why."""


@lru_cache(maxsize=1)
def _environment() -> Any:
    try:
        import celpy
    except ImportError:
        raise EngineUnavailable("the plugin calls expr_create: `pip install 'simwasm[foreign]'`") from None
    return celpy.Environment()


@lru_cache(maxsize=1024)
def parse(text: str) -> Any:
    """The tree of an expression."""
    environment = _environment()
    from celpy.celparser import CELParseError

    try:
        tree = environment.compile(text)
    except (CELParseError, RecursionError) as error:
        raise Wrong(str(error.args[0] if error.args else error).strip()) from None
    for node in tree.find_data("literal"):
        _check_number(node.children[0])
    for node in tree.iter_subtrees():
        if node.data in _CALLS:
            _check_macro(node)
    return tree


def check(text: str) -> None:
    """Find out what Envoy refuses before it evaluates: unknown functions and types."""
    tree = parse(text)
    for node in tree.iter_subtrees():
        if node.data in _CALLS:
            _check_call(node)
        elif node.data == "member_object" and not _spelled(node).startswith(_WRAPPED):
            raise Wrong(f"there is no message type `{_spelled(node)}`")


def _check_call(node: Any) -> None:
    """Whether there is such a function, with so many arguments."""
    from simwasm.host.foreign.cel_functions import GLOBAL, METHODS

    name, given = _called(node)
    if _is_has(node, name, given):
        return
    known = METHODS if node.data == "member_dot_arg" else GLOBAL
    if name not in known:
        raise Wrong(f"there is no function `{name}`")
    if len(given) not in known[name]:
        raise Wrong(f"`{name}` does not take {len(given)} arguments")


def _check_macro(node: Any) -> None:
    """Whether a macro is given what it can be made from."""
    name, given = _called(node)
    if _is_has(node, name, given) and _core(given[0]).data != "member_dot":
        raise Wrong("`has` takes a field, such as `has(request.path)`")
    if node.data != "member_dot_arg" or name not in _MACROS or len(given) not in (2, 3):
        return
    if _core(given[0]).data != "ident":
        raise Wrong(f"the first argument of `{name}` is a name")


def _is_has(node: Any, name: str, given: list[Any]) -> bool:
    return node.data == "ident_arg" and name == "has" and len(given) == 1


def _called(node: Any) -> tuple[str, list[Any]]:
    """The name of what is called, and its arguments."""
    name = str(next(child for child in node.children if not hasattr(child, "data")))
    last = node.children[-1]
    return name, last.children if getattr(last, "data", "") == "exprlist" else []


def _core(node: Any) -> Any:
    """The innermost rule of an expression that is nothing but it."""
    while len(node.children) == 1 and hasattr(node.children[0], "data"):
        node = node.children[0]
    return node


def _spelled(node: Any) -> str:
    """The name before the braces of a message."""
    return ".".join(str(token) for token in node.children[0].scan_values(lambda _: True))


def _check_number(token: Any) -> None:
    if token.type in ("INT_LIT", "UINT_LIT"):
        number = int(str(token).rstrip("uU"), 0 if "x" in token else 10)
        if number not in (_INT if token.type == "INT_LIT" else _UINT):
            raise Wrong(f"{token} does not fit into 64 bits")


@lru_cache(maxsize=1024)
def _program(text: str) -> tuple[Any, tuple[str, ...], tuple[str, ...]]:
    """An expression ready to be evaluated, the names in it, and those of them that `has` is asked about."""
    from simwasm.host.foreign.cel_functions import FUNCTIONS

    tree = parse(text)
    asked = [node for node in tree.iter_subtrees() if node.data == "ident_arg" and node.children[0] == "has"]
    program = _environment().program(tree, functions=dict(FUNCTIONS))
    return program, _unique(_names(tree)), _unique(name for node in asked for name in _names(node))


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _names(tree: Any) -> Iterator[str]:
    for node in tree.iter_subtrees():
        if node.data in ("ident", "dot_ident"):
            yield str(node.children[0])


def value(text: str, context: Context) -> Value:
    """What an expression is worth in a context, as a property would be; what is worth nothing raises `Wrong`."""
    from celpy.evaluation import CELEvalError, CELSyntaxError, CELUnsupportedError

    from simwasm.host.foreign.cel_values import plain, top_level

    program, names, asked = _program(text)
    found = {name: top_level(context, name) for name in names if name not in _TYPES}
    missing = next((name for name in asked if found.get(name) is None), "")
    if missing:
        raise Wrong(f"there is no `{missing}` here")
    try:
        return plain(program.evaluate({name: given for name, given in found.items() if given is not None}))
    except (CELEvalError, CELSyntaxError, CELUnsupportedError, *_BROKEN) as error:
        raise Wrong(_why(error)) from None


def _why(error: Exception) -> str:
    """What went wrong: the library tells it last where a function complained, otherwise first."""
    parts: tuple[Any, ...] = (*error.args, "", None, None)
    said, kind, inner = parts[:3]
    if kind in (TypeError, ValueError) and inner:
        return str(inner[0])
    return str(said).partition(" (in activation")[0]
