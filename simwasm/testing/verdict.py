"""What became of an expectation: whether it holds, and why not, in words.

    verdict = result.trace.never("proxy_http_call")
    assert verdict               # shows the row, with the callback around it
    verdict.text                 # the same, without pytest

Rules: the first line of the text is a sentence that says it all; what follows shows where. Whether somebody has asked
if it holds is known, since who forgets the `assert` would never hear of it.
"""

from __future__ import annotations


class Verdict:
    """An answer that explains itself: true or false, with the reason as its text.

    Example:
        >>> trace = load_plugin("samples/allow_header/plugin.wasm").send("GET", "/").trace
        >>> bool(trace.has("proxy_log")), bool(trace.never("proxy_log"))
        (True, False)
    """

    __slots__ = ("_holds", "_text", "heard", "position")

    def __init__(self, holds: bool, text: str, position: int = 0) -> None:
        self._holds = holds
        self.heard = False
        """Whether somebody has asked if it holds, or why."""
        self._text = text
        self.position = position
        """The event of the plugin's whole trace that it is about; 0 for none."""

    @property
    def holds(self) -> bool:
        """Whether it is so."""
        self.heard = True
        return self._holds

    @property
    def text(self) -> str:
        """Why."""
        self.heard = True
        return self._text

    def __bool__(self) -> bool:
        return self.holds

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"<{'yes' if self._holds else 'no'}: {self.headline}>"

    @property
    def headline(self) -> str:
        """The sentence that says it all."""
        return self._text.partition("\n")[0]
