"""From the name of an ink to a style: the colours are those of the theme, mixed with what is behind them."""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget


def style_of(widget: Widget, name: str) -> Style:
    """The style of one of a widget's component classes, its background only if it has one of its own."""
    own = widget.get_component_rich_style(name, partial=True)
    mixed = widget.get_component_rich_style(name)
    return own + Style(color=mixed.color) if own.color is not None else own
