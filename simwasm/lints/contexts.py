"""Contexts: used after their end, and never ended."""

from __future__ import annotations

from simwasm.abi.enums import Status
from simwasm.lints.lint import Call, Ended, Lint
from simwasm.lints.run import Run, argument
from simwasm.lints.watcher import Begins, Ends, Watcher
from simwasm.trace.query.grades import Grade

USED_AFTER_END = Lint(
    "context-after-end", Grade.ERROR, "a context is used after its end",
    "A stream's context ends with the exchange, whether the client left or was answered; the host refuses its "
    "number then.",
    "Remove it from the plugin's own tables in proxy_on_done or proxy_on_delete, and expect BAD_ARGUMENT: the "
    "client may leave while a callout is under way.",
)  # fmt: skip
NEVER_DELETED = Lint(
    "context-never-deleted", Grade.WARNING, "a context that is never deleted",
    "proxy_on_done returned false, which asks the host to wait, and proxy_done was not called: the context, its "
    "timer and its VM stay.",
    "Call proxy_done once the plugin has done what it waited for, or return true from proxy_on_done.",
)  # fmt: skip


class Contexts(Watcher):
    """The life of contexts."""

    LINTS = (USED_AFTER_END, NEVER_DELETED)

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._highest: dict[str, int] = {}
        """The highest number that a context had; they are never used twice."""
        self._roots: set[tuple[str, int]] = set()
        self._waiting: dict[tuple[str, int], tuple[Call, Ended]] = {}
        """Roots that asked the host to wait."""

    def begins(self) -> Begins:
        return {
            "proxy_on_context_create": self._created,
            "proxy_on_configure": self._is_root,
            "proxy_on_vm_start": self._is_root,
            "proxy_on_delete": self._deleted,
        }

    def ends(self) -> Ends:
        return {"proxy_on_done": self._done, "proxy_done": self._done_later}

    def claim(self, call: Call, ended: Ended) -> Lint | None:
        if call.function.name != "proxy_set_effective_context" or ended.result is not Status.BAD_ARGUMENT:
            return None
        here = self.run.outermost(call).context
        id = call.args[0]
        return USED_AFTER_END if id is not None and id <= max(self._highest.get(call.vm, 0), here) else None

    def _created(self, call: Call) -> None:
        id = call.args[0]
        self._highest[call.vm] = max(id or 0, self._highest.get(call.vm, 0))
        if not argument(call, "parent_context_id"):
            self._roots.add((call.vm, id))

    def _is_root(self, call: Call) -> None:
        self._roots.add((call.vm, call.args[0]))

    def _done(self, call: Call, ended: Ended) -> None:
        key = call.vm, call.args[0]
        if ended.result is False and key in self._roots:
            self._waiting[key] = call, ended

    def _done_later(self, call: Call, ended: Ended) -> None:
        if not ended.result:
            self._waiting.pop((call.vm, call.context), None)

    def _deleted(self, call: Call) -> None:
        self._waiting.pop((call.vm, call.args[0]), None)

    def over(self) -> None:
        for (vm, context), (_, ended) in self._waiting.items():
            self.run.tell(
                NEVER_DELETED, ended,
                f"Context {context} of {vm} returned false from proxy_on_done, and never called proxy_done.",
            )  # fmt: skip
