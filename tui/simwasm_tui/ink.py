"""From the name of an ink to a style: the colours are those of the theme, mixed with what is behind them.

Rule: the application has the component classes, so that their rules are looked for once, and not by every widget.
"""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget

from simwasm_tui.text import INKS

CLASSES = frozenset(("list--cursor", "list--found", *(f"ink--{name}" for name in INKS)))
"""The component classes of the application."""


def style_of(widget: Widget, name: str) -> Style:
    """The style of one of the component classes in a widget: a background only if it has one of its own."""
    rules = widget.app.get_component_styles(name)
    _, behind = widget.background_colors
    color = background = None
    if rules.has_rule("background"):
        behind += rules.background
        background = behind.rich_color
    if rules.has_rule("color"):
        color = (behind + rules.color).rich_color
    return rules.partial_rich_style + Style(color=color, bgcolor=background)
