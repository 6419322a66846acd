"""An access log that is written in mid-stream as well does not reach plugins then."""

from __future__ import annotations

from hostcalls import BOTH, STREAMED, TRAILED, prop, reply, told
from live import Live
from switchboard import LOG, REQUEST_HEADERS, Case

EARLY = Live(
    Case("a request", {LOG: told(prop("response.code"))}, items=(16, 18)),
    Case("bodies", {}, sent=STREAMED, answer=BOTH, items=(18,)),
    Case("bodies and trailers", {}, sent=TRAILED, answer=BOTH, items=(18,)),
    Case("a local reply", {REQUEST_HEADERS: [reply(401, "no")]}, items=(16, 18)),
    http_manager={"access_log_options": {"flush_access_log_on_new_request": True}},
)


@EARLY.each
def test_an_access_log_of_beginnings(name: str) -> None:
    EARLY.check(name)
