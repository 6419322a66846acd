"""What a paused exchange may wait for: the callouts that were made for it, and ticks."""

from __future__ import annotations

from simwasm.lints.lint import Call, Ended, Over
from simwasm.lints.run import Run, argument, short
from simwasm.lints.watcher import Begins, Ends
from simwasm.trace.text import value_text

_CALLOUTS = ("proxy_http_call", "proxy_grpc_call", "proxy_grpc_stream")
_ANSWERS = ("proxy_on_http_call_response", "proxy_on_grpc_close")
_MOST = 20
"""How many callouts of an exchange are remembered."""


class Waiting:
    """Callouts and ticks."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._made: dict[int, dict[tuple[str, int], str]] = {}
        """The callouts of each exchange, by plugin and number, with their clusters."""
        self._answered: dict[int, dict[tuple[str, int], int]] = {}
        """The rows on which their answers came."""
        self._of: dict[tuple[str, int], int] = {}
        """The exchange that a callout belongs to."""
        self._ticks: dict[str, int] = {}
        """The period of the ticks of each plugin, in milliseconds."""

    def begins(self) -> Begins:
        return dict.fromkeys(_ANSWERS, self._answer)

    def ends(self) -> Ends:
        return {**dict.fromkeys(_CALLOUTS, self._call), "proxy_set_tick_period_milliseconds": self._tick}

    def _call(self, call: Call, ended: Ended) -> None:
        number = self._run.exchange(call)
        made = self._made.setdefault(number, {}) if number else {}
        if number and ended.values and not ended.result and len(made) < _MOST:
            key = call.vm, ended.values[0]
            made[key], self._of[key] = short(call.args[0], 80), number

    def _answer(self, call: Call) -> None:
        key = call.vm, argument(call, "call_id")
        number = self._of.pop(key, 0)
        if number:
            self._answered.setdefault(number, {})[key] = call.row

    def _tick(self, call: Call, ended: Ended) -> None:
        if not ended.result:
            self._ticks[call.vm] = call.args[0]

    def told(self, over: Over) -> str:
        """What an exchange that has ended may have waited for, in words; it is forgotten then."""
        made = self._made.pop(over.number, {})
        answered = self._answered.pop(over.number, {})
        for key in made:
            self._of.pop(key, None)
        if not over.outcome.waiting:
            return ""
        parts = [
            f"Callout {value_text(key[1])} to `{cluster}` "
            + (f"was answered on row {answered[key]:,}, and nobody continued then." if key in answered
               else "was not answered.")
            for key, cluster in made.items()
        ]  # fmt: skip
        ticking = [
            f"{short(vm, 80)} ticks every {period:,} ms." for vm, period in self._ticks.items() if period
        ]
        return " ".join(parts + ticking) or (
            "It has made no callout and no tick is set: there is nobody left who could resume it."
        )
