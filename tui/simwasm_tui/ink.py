"""From the name of an ink to a style: the colours are those of the theme, mixed with what is behind them."""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget


def style_of(widget: Widget, name: str) -> Style:
    """The style of one of a widget's component classes: its background only if it has one of its own."""
    rules = widget.get_component_styles(name)
    own, mixed = rules.partial_rich_style, widget.get_component_rich_style(name)
    return own + Style(
        color=mixed.color if rules.has_rule("color") else None,
        bgcolor=mixed.bgcolor if rules.has_rule("background") else None,
    )
