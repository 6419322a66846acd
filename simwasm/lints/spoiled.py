"""Exchanges that Envoy answered or cut off because of what a plugin did."""

from __future__ import annotations

from simwasm.lints.lint import Lint, Over
from simwasm.lints.run import named
from simwasm.lints.watcher import Watcher
from simwasm.trace.query.grades import Grade
from simwasm.trace.text import value_text

SPOILED = Lint(
    "spoiled", Grade.ERROR, "Envoy answered or cut off an exchange because of the plugin",
    "The response had no status, a buffer was too small for what was held back, or a local reply came too late.",
    "Envoy's response code details, in the access log too, say which.",
)  # fmt: skip

OF_ENVOY = {
    "wasm_fail_stream": "",
    "filter_removed_required_response_headers{missing_required_header:_:status}":
        "A plugin removed `:status` from the response, or made it no number: leave it there.",
    "request_payload_too_large":
        "More of the request was buffered than a connection may: do not pause while a large body comes in.",
    "response_payload_too_large":
        "More of the response was buffered than a connection may: do not pause while a large body comes in.",
    "local reply after response headers":
        "The response had begun, so a local reply could only cut it off: send it from on_response_headers or before.",
    "wasm_close_stream": "A plugin closed the stream.",
}  # fmt: skip
"""Envoy's details for what a plugin brought about, and what to say of each."""


class Spoiled(Watcher):
    """Envoy's own answers."""

    LINTS = (SPOILED,)

    def exchange(self, over: Over) -> None:
        outcome = over.outcome
        about = OF_ENVOY.get(outcome.details) or OF_ENVOY.get(outcome.reset)
        if not about:
            return
        what = (
            f"was cut off ({outcome.reset})"
            if outcome.reset
            else f"was answered with {outcome.status} by Envoy"
        )
        self.run.tell(
            SPOILED, over, f"{named(over)} {what}.", title=f"{named(over)}: {outcome.reset or outcome.status}",
            why=about,
            fix="Envoy's details for it are " + value_text(outcome.details) + ".",
            group=outcome.details,
            grade=Grade.NOTE if outcome.reset == "wasm_close_stream" else Grade.ERROR,
        )  # fmt: skip
