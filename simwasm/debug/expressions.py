"""The language of the eval line and of watches: it reads what is there at a stop, and can change nothing.

    headers.request[":path"]      body.request      args.key      result      property["source.address"]
    shared["k"]   metric["n"]     memory[0x2f40:16] (address and size)         u32(0x2f40)   text(0x2f40, 16)
    l0   local[0]   s1   stack[1]   g2   global[2]   and at an instruction what the source calls its variables

Python's grammar, with a table of its own for what each kind of node does: a node that is not in the table does not
exist. Rules: text and bytes compare by their bytes, a number with a name also by that name; what is not there is none;
nothing is computed whose size has not been checked before.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any

from simwasm.debug.expression_functions import FUNCTIONS
from simwasm.debug.expression_operators import MOST_BITS, OPERATORS, alike
from simwasm.debug.expression_scope import LARGEST, NAMES, HeaderParts, MemoryParts, Parts, Scope, near
from simwasm.debug.expression_slots import SLOT, slot, variable
from simwasm.errors import ExpressionError

LONGEST = 1_000
"""How many characters an expression may have."""
DEEPEST = 40

_GLOBAL = re.compile(r"\bglobal\[")
"""A word of Python's, which is as good here."""
_FAULTS = (ArithmeticError, TypeError, ValueError, LookupError, RecursionError, AttributeError)


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was read, to be asked for its value at any number of stops."""

    text: str
    tree: ast.expr

    @property
    def names(self) -> frozenset[str]:
        """The names in it, those of functions too."""
        return frozenset(node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name))

    def value(self, scope: Scope) -> Any:
        """Its value at a stop; one that has none there is an `ExpressionError`."""
        return _evaluate(self.tree, scope)


def parse(text: str, *, names: Container[str] = ()) -> Expression:
    """Read an expression; `names` are those that are known besides: variables of the source."""
    if len(text) > LONGEST:
        raise ExpressionError(f"{len(text):,} characters are more than an expression may have ({LONGEST:,})")
    if not text.strip():
        raise ExpressionError('there is no expression. Try headers.request[":path"]')
    stripped = _GLOBAL.sub("globals[", text.strip())
    lead = len(text) - len(text.lstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(stripped, mode="eval").body
    except SyntaxError as error:
        place = min(len(text), lead + max(0, (error.offset or 1) - 1))
        raise ExpressionError(f"cannot read `{stripped}`: {error.msg}", place) from None
    except (ValueError, MemoryError, RecursionError):
        raise ExpressionError("the expression cannot be read: is it nested too deeply?") from None
    _count_characters(tree, text, lead)
    _check(tree, 0, names)
    return Expression(stripped, tree)


def evaluate(text: str, scope: Scope) -> Any:
    """The value of an expression at a stop."""
    return parse(text, names=scope.names).value(scope)


def _count_characters(tree: ast.expr, text: str, lead: int) -> None:
    """Let nodes know their places in the text as it was typed; Python counts bytes."""
    if lead or not text.isascii():
        data = text[lead:].encode()
        for node in ast.walk(tree):
            if isinstance(node, ast.expr):
                before = data[: node.col_offset].decode(errors="ignore")
                node.col_offset = min(len(text), lead + len(before))


def _check(node: ast.AST, depth: int, names: Container[str]) -> None:
    """Refuse what the language does not have, before anything is computed."""
    if depth > DEEPEST:
        raise ExpressionError("the expression is nested too deeply", _place(node))
    if isinstance(node, (ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.expr_context)):
        if not isinstance(node, (ast.expr_context, ast.boolop)) and type(node) not in OPERATORS:
            raise ExpressionError(f"there is no operator {type(node).__name__} here", 0)
        return
    if type(node) not in _NODES and not isinstance(node, ast.Slice):
        what = type(node).__name__
        raise ExpressionError(f"an expression has no {_CALLED.get(what, what)} here", _place(node))
    if isinstance(node, ast.Name) and not (
        node.id in NAMES or node.id in FUNCTIONS or SLOT.fullmatch(node.id) or node.id in names
    ):
        raise ExpressionError(f"there is no `{node.id}`{near(node.id, (*NAMES, *FUNCTIONS))}", _place(node))
    for child in ast.iter_child_nodes(node):
        _check(child, depth + 1, names)


_CALLED = {
    "Lambda": "functions of its own", "ListComp": "loops", "GeneratorExp": "loops", "SetComp": "loops",
    "DictComp": "loops", "NamedExpr": "assignments", "JoinedStr": "f-strings", "Await": "await", "Yield": "yield",
    "Starred": "`*`", "keyword": "named arguments", "Dict": "dictionaries", "Set": "sets",
}  # fmt: skip


def _place(node: ast.AST) -> int:
    return int(getattr(node, "col_offset", 0))


def _evaluate(node: ast.expr, scope: Scope) -> Any:
    """The value of a node; what goes wrong in it is told with its place."""
    try:
        value = _NODES[type(node)](node, scope)
    except ExpressionError as error:
        if error.position or not _place(node):
            raise
        raise ExpressionError(str(error), _place(node)) from None
    except _FAULTS as error:
        raise ExpressionError(f"cannot work this out: {_said(error)}", _place(node)) from None
    return _bounded(value, node)


def _said(error: Exception) -> str:
    return f"there is no {error}" if isinstance(error, LookupError) else str(error) or type(error).__name__


def _bounded(value: Any, node: ast.AST) -> Any:
    """A value that is small enough, and of a kind that the language has."""
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        raise ExpressionError(f"the number is too large: more than {MOST_BITS:,} bits", _place(node))
    if isinstance(value, (str, bytes, tuple, list, dict)) and len(value) > LARGEST:
        raise ExpressionError(f"the value is too large: more than {LARGEST:,}", _place(node))
    if isinstance(value, complex):
        raise ExpressionError("there are no complex numbers here", _place(node))
    return value


def _constant(node: ast.Constant, scope: Scope) -> Any:
    if node.value is Ellipsis or isinstance(node.value, complex):
        raise ExpressionError(f"`{node.value}` is not a value here", _place(node))
    return node.value


def _name(node: ast.Name, scope: Scope) -> Any:
    if node.id in scope.names:  # a variable of the plugin's is nearer than a name of ours
        return variable(scope, node.id)
    if node.id in NAMES:
        return NAMES[node.id](scope)
    if node.id not in FUNCTIONS:
        return slot(scope, node.id)
    raise ExpressionError(f"`{node.id}` is a function: {FUNCTIONS[node.id].usage}", _place(node))


def _attribute(node: ast.Attribute, scope: Scope) -> Any:
    owner = _evaluate(node.value, scope)
    if isinstance(owner, (Parts, dict)):
        return owner.get(node.attr)
    raise ExpressionError(
        f"`.{node.attr}` needs something with names before it, as `headers` or `args`", _place(node)
    )


def _subscript(node: ast.Subscript, scope: Scope) -> Any:
    owner = _evaluate(node.value, scope)
    if isinstance(node.slice, ast.Slice):
        return _slice(owner, node.slice, scope)
    key = _evaluate(node.slice, scope)
    if isinstance(owner, MemoryParts):
        return owner.read(key, 1)[0]
    if isinstance(owner, Parts):
        return owner.get(key)
    if isinstance(owner, dict):
        return owner.get(key)
    return owner[key]


def _slice(owner: Any, node: ast.Slice, scope: Scope) -> Any:
    lower, upper, step = (
        None if each is None else _evaluate(each, scope) for each in (node.lower, node.upper, node.step)
    )
    if isinstance(owner, MemoryParts):
        if upper is None or step is not None:
            raise ExpressionError(
                "memory is asked by an address and a size, as in memory[0x2f40:16]", _place(node)
            )
        return owner.read(lower or 0, upper)
    return (owner.entries if isinstance(owner, HeaderParts) else owner)[slice(lower, upper, step)]


def _call(node: ast.Call, scope: Scope) -> Any:
    if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
        raise ExpressionError("only functions can be called: " + ", ".join(FUNCTIONS), _place(node))
    function = FUNCTIONS[node.func.id]
    given = [_evaluate(argument, scope) for argument in node.args]
    if not function.fewest <= len(given) <= function.most:
        raise ExpressionError(f"`{node.func.id}` is used as {function.usage}", _place(node))
    return function.run(MemoryParts(scope.memory), *given)


def _sequence(node: ast.Tuple | ast.List, scope: Scope) -> tuple[Any, ...]:
    return tuple(_evaluate(item, scope) for item in node.elts)


def _bool(node: ast.BoolOp, scope: Scope) -> Any:
    stops_at = isinstance(node.op, ast.Or)
    value: Any = None
    for each in node.values:
        value = _evaluate(each, scope)
        if bool(value) is stops_at:
            break
    return value


def _if(node: ast.IfExp, scope: Scope) -> Any:
    return _evaluate(node.body if _evaluate(node.test, scope) else node.orelse, scope)


def _unary(node: ast.UnaryOp, scope: Scope) -> Any:
    return OPERATORS[type(node.op)](_evaluate(node.operand, scope))


def _binary(node: ast.BinOp, scope: Scope) -> Any:
    left, right = _evaluate(node.left, scope), _evaluate(node.right, scope)
    return OPERATORS[type(node.op)](*alike(left, right))


def _compare(node: ast.Compare, scope: Scope) -> bool:
    left = _evaluate(node.left, scope)
    for kind, each in zip(node.ops, node.comparators, strict=True):
        right = _evaluate(each, scope)
        if not OPERATORS[type(kind)](*alike(left, right)):
            return False
        left = right
    return True


_NODES: dict[type, Callable[[Any, Scope], Any]] = {
    ast.Constant: _constant, ast.Name: _name, ast.Attribute: _attribute, ast.Subscript: _subscript, ast.Call: _call,
    ast.Tuple: _sequence, ast.List: _sequence, ast.BoolOp: _bool, ast.IfExp: _if, ast.UnaryOp: _unary,
    ast.BinOp: _binary, ast.Compare: _compare,
}  # fmt: skip
