"""What became of an expectation: whether it holds, and why not, in words.

    verdict = result.trace.never("proxy_http_call")
    assert verdict               # shows the row, with the callback around it
    verdict.text                 # the same, without pytest

Rule: the first line of the text is a sentence that says it all; what follows shows where.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer that explains itself: true or false, with the reason as its text.

    Example:
        >>> trace = load_plugin("samples/allow_header/plugin.wasm").send("GET", "/").trace
        >>> bool(trace.has("proxy_log")), bool(trace.never("proxy_log"))
        (True, False)
    """

    holds: bool
    text: str
    position: int = 0
    """The event of the plugin's whole trace that it is about; 0 for none."""

    def __bool__(self) -> bool:
        return self.holds

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<{'yes' if self.holds else 'no'}: {self.headline}>"

    @property
    def headline(self) -> str:
        """The sentence that says it all."""
        return self.text.partition("\n")[0]
