"""All watchers, in the order in which they are asked, and all lints."""

from __future__ import annotations

from simwasm.lints.bodies import Bodies
from simwasm.lints.callouts import Callouts
from simwasm.lints.contexts import Contexts
from simwasm.lints.headers import Headers
from simwasm.lints.lint import Lint
from simwasm.lints.logs import Logs
from simwasm.lints.memory import GROWS
from simwasm.lints.pausing import Pausing
from simwasm.lints.properties import Properties
from simwasm.lints.refusals import Refusals
from simwasm.lints.replies import Replies
from simwasm.lints.spoiled import Spoiled
from simwasm.lints.traps import Traps
from simwasm.lints.watcher import Watcher

WATCHERS: tuple[type[Watcher], ...] = (
    Traps, Pausing, Replies, Callouts, Bodies, Headers, Properties, Contexts, Spoiled, Refusals, Logs,
)  # fmt: skip

LINTS: tuple[Lint, ...] = (*(lint for watcher in WATCHERS for lint in watcher.LINTS), GROWS)
