"""The colours: a calm dark theme, a light one, and one of the strongest contrast; Textual's own are there too."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="simwasm",
    primary="#7aa2c9",
    secondary="#8fa8a0",
    accent="#d9b26a",
    foreground="#c9ced6",
    background="#14171b",
    surface="#14171b",
    panel="#20252b",
    success="#86b07e",
    warning="#d9a860",
    error="#e0726c",
    boost="#272d35",
    dark=True,
)
LIGHT = Theme(
    name="simwasm-light",
    primary="#1f5f99",
    secondary="#4c6a62",
    accent="#8a5a00",
    foreground="#24292f",
    background="#fbfaf8",
    surface="#fbfaf8",
    panel="#ebe8e2",
    success="#2c7034",
    warning="#8f5600",
    error="#b3261e",
    boost="#e3dfd8",
    dark=False,
)
CONTRAST = Theme(
    name="simwasm-contrast",
    primary="#00d7ff",
    secondary="#ffffff",
    accent="#ffff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#262626",
    success="#00ff5f",
    warning="#ffaf00",
    error="#ff5f5f",
    boost="#303030",
    dark=True,
)
THEMES = (DARK, LIGHT, CONTRAST)
