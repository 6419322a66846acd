"""The CEL expressions of a root: their texts, by the tokens that the plugin was given for them."""

from __future__ import annotations


class Expressions:
    """What `expr_create` made and `expr_delete` has not taken away."""

    __slots__ = ("texts", "_next")

    def __init__(self) -> None:
        self.texts: dict[int, str] = {}
        self._next = 0

    def token(self) -> int:
        """A token that was never given before; one for every text that could be parsed."""
        self._next += 1
        return self._next - 1
