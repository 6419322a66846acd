"""Callbacks that did not return, and plugins that leave."""

from __future__ import annotations

from simwasm.errors import TrapKind
from simwasm.lints.lint import Call, Ended, Lint, Over
from simwasm.lints.run import Run, named, short
from simwasm.lints.watcher import Begins, Watcher
from simwasm.trace.query.grades import Grade

TRAP = Lint(
    "trap", Grade.ERROR, "the plugin trapped",
    "A callback did not return: the plugin panicked, ran out of its depth or was stopped. Envoy answers the "
    "exchange by 503 and calls this VM no more.",
    "Look at the stack and the log lines before it; after a trap the plugin is never called again.",
)  # fmt: skip
FAILED = Lint(
    "failed-with-the-plugin", Grade.ERROR, "an exchange failed because the plugin had trapped",
    "Envoy's details for it are `wasm_fail_stream`.",
    "Repair the trap; a plugin that may be left out can be set to fail open.",
)  # fmt: skip
EXIT = Lint(
    "exit-called", Grade.ERROR, "the plugin called exit",
    "In a proxy nothing can exit: the host notes the call and goes on, and the code behind it, which the compiler "
    "took for unreachable, runs or traps.",
    "Return from the callback instead: answer with a local response, or return false from on_configure.",
)  # fmt: skip

_FIXES = {
    TrapKind.UNREACHABLE: "This is how panics and failed assertions end: the message is in the log lines before it.",
    TrapKind.OUT_OF_FUEL: "One call used up all its instructions. An endless loop? If not, allow more by --fuel.",
    TrapKind.STACK_EXHAUSTED: "Calls are nested too deeply: look for a recursion without end.",
    TrapKind.MEMORY_BOUNDS: "A pointer or an index is wrong; look at the memory and the arguments of the last call.",
    TrapKind.INTERRUPTED: "Somebody interrupted it: go back to see what it computed.",
    TrapKind.RESTRICTED: "Call this function later: in a callback of the host, not while starting or allocating.",
}


class Traps(Watcher):
    """Traps, and the exchanges that they spoil."""

    LINTS = (TRAP, FAILED, EXIT)

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._where: dict[int, tuple[Call, Ended]] = {}
        """The callback that trapped, by exchange."""

    def begins(self) -> Begins:
        return {"proc_exit": self._exits}

    def trapped(self, call: Call, ended: Ended) -> None:
        """A callback of the host's has trapped."""
        assert ended.trap is not None
        trap, number = ended.trap, self.run.exchange(call)
        if number:
            self._where.setdefault(number, (call, ended))
        frames = ", called by ".join(self.run.frames(call.vm, trap.frames[:4]))
        at = f"It happened in {frames}." if frames else "No frames are known."
        said = f" It says: {trap.detail}." if trap.detail else ""
        self.run.tell(
            TRAP, ended, f"{call.function.name} of {call.vm} trapped ({trap.kind.value}).", number=number,
            title=f"trap: {trap.kind.value}", why=f"{at}{said}", fix=_FIXES.get(trap.kind), group=trap.kind.value,
        )  # fmt: skip

    def exchange(self, over: Over) -> None:
        where = self._where.pop(over.number, None)
        if over.outcome.details == "wasm_fail_stream":
            self.run.tell(
                FAILED, where[1] if where else over,
                f"{named(over)} was answered with {over.outcome.status} because the plugin has trapped.",
                number=over.number, title=f"{named(over)} failed with the plugin",
            )  # fmt: skip

    def _exits(self, call: Call) -> None:
        around = self.run.outermost(call).function.name
        code = short(call.args[0], 20) if call.args else "?"
        self.run.tell(EXIT, call, f"{call.vm} called proc_exit({code}) in {around}.")
