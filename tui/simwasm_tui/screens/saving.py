"""Writing the session to a file, and how the screen looks and where sources are: what is kept, and brought back.

Rule: a file from somebody else brings the layout along, and leaves the theme as the user has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simwasm.errors import SimwasmError
from simwasm.sources import remaps_of
from simwasm_tui.layout import LAYOUTS
from simwasm_tui.text import clean
from simwasm_tui.widgets.ask import Ask
from simwasm_tui.widgets.body import Body

if TYPE_CHECKING:
    from textual.screen import Screen

    from simwasm_tui.screens.main import MainScreen
    from simwasm_tui.sessions import Keeper
    from simwasm_tui.views import Viewer

    _Screen = Screen[None]
else:
    _Screen = object

_SUFFIX = ".simwasm"


class Saving(_Screen):
    """The command, and the look; mixed into the main screen."""

    keeper: Keeper
    viewer: Viewer
    _wished: Mapping[str, Any] = {}
    _looked: Mapping[str, Any] = {}

    if TYPE_CHECKING:

        def say(self, text: str) -> None: ...
        def _return_focus(self) -> None: ...

    def do_save(self) -> None:
        start = self.keeper.start
        plugin = Path(start.recipe.plugin) if start.recipe is not None else None
        name = start.path or (Path(plugin.stem + _SUFFIX) if plugin is not None else None)
        if name is None:
            self.say("Nothing is known of where the plugin came from, so there is nothing to write.")
            return

        def answered(text: str) -> str:
            path = text.strip()
            if not path:
                return "a session needs a file to be written to"
            path += "" if path.endswith(_SUFFIX) else _SUFFIX
            try:
                self.keeper.save(self._main, path)
            except SimwasmError as error:
                return str(error)
            self._return_focus()
            self.say(f"Written: {clean(path)}. `simwasm debug {clean(path)}` opens this place.")
            return ""

        self.query_one(Ask).ask("Save session as", answered, text=str(name))

    @property
    def _main(self) -> MainScreen:
        from simwasm_tui.screens.main import MainScreen

        assert isinstance(self, MainScreen)
        return self

    def look(self) -> Mapping[str, Any]:
        """How the screen looks, to be found again."""
        for body in self.query(Body):  # none is left when the screen is gone
            tree = {} if body.wanted.tree is None else {"tree": body.wanted.tree}
            self._looked = {"layout": body.wanted.layout.name, "theme": self.app.theme, **tree}
        sources = [list(each) for each in self.viewer.binaries.remaps]
        return {**self._looked, **({"sources": sources} if sources else {})}

    def take_look(self, look: Mapping[str, Any]) -> None:
        """Look like that, as far as it means anything here, once there is something to look at."""
        self._wished = look
        self.viewer.binaries.remaps = remaps_of(look.get("sources"))

    def look_as_wished(self) -> None:
        """There is something to look at."""
        look, body = self._wished, self.query_one(Body)
        chosen = next((each for each in LAYOUTS if each.name == look.get("layout")), None)
        if chosen is not None and chosen is not LAYOUTS[0]:
            body.take_layout(chosen)
        if isinstance(look.get("tree"), bool):
            body.arrange_as(replace(body.wanted, tree=look["tree"]))
        theme = look.get("theme")
        if (
            self.keeper.start.path is None
            and not self.keeper.start.theme
            and theme in self.app.available_themes
        ):
            self.app.theme = str(theme)
