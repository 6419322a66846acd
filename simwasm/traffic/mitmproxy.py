"""mitmproxy's flow files (`mitmdump -w day.flows`), as mitmproxy 5 to 12 write them: flow formats 7 to 21.

Rules that live here:
- A flow is read alone and in its turn; of what it holds only what an exchange needs is decoded.
- HTTP flows are exchanges, with an answer or without one; TCP flows are conversations. Everything else, what plugins of
  a gateway never meet, and what was not recorded is counted by kind, and told at the end.
- The ids are the numbers of the flows. What a flow holds becomes what an exchange holds in `mitmproxy_flow`.
- A flow that is broken or odd is told, and reading goes on behind it; a cut ends the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from simwasm.errors import TrafficError
from simwasm.exchange import Exchange
from simwasm.traffic.mitmproxy_flow import Connections, Skipped, read_flow
from simwasm.traffic.notes import Notes
from simwasm.traffic.tnetstring import Damaged, Frame, Gap, frames

_BEGINS = re.compile(rb"[1-9]\d{0,11}:\d{1,3}:[a-z_]{2,40}[;,]\d")
_REMEDY = "record it again, or save it anew with mitmproxy"


class MitmproxyFlows:
    """The importer of mitmproxy's flow files."""

    name = "mitmproxy flows (.flows, .mitm)"

    def sniff(self, head: bytes) -> bool:
        """Say yes to a typed string in which the first thing is a name."""
        return _BEGINS.match(head) is not None

    def read(self, stream: BinaryIO, where: str, notes: Notes) -> Iterator[Exchange]:
        """Go through the flows of a file, from a pipe as well."""
        skipped: Counter[str] = Counter()
        connections = Connections()
        flows = 0
        for number, found in enumerate(frames(stream), 1):
            if isinstance(found, Gap):
                error = _gap(found, where, number)
                if not flows and found.cut:
                    raise error
                notes.broken(error)
                continue
            try:
                flow = read_flow(found.data, number, connections, skipped)
            except Skipped as error:
                skipped[str(error)] += 1
            except Damaged as error:
                notes.broken(_broken(found, where, number, str(error)))
                continue
            else:
                yield flow
            flows += 1
        for kind, count in skipped.items():
            notes.left_out(f"{where}: {kind.format(count=f'{count:,}', s='' if count == 1 else 's')}")


def _gap(gap: Gap, where: str, number: int) -> TrafficError:
    if gap.cut:
        before = (
            f"the {number - 1:,} flows before it are whole" if number > 1 else "nothing of it can be read"
        )
        return TrafficError(f"{where}, flow {number}, byte {gap.at:,}: {gap.why}; {before}")
    return TrafficError(
        f"{where}, flow {number}, byte {gap.at:,}: {gap.why}; the next flow is at byte {gap.end:,}; {_REMEDY}"
    )


def _broken(frame: Frame, where: str, number: int, why: str) -> TrafficError:
    return TrafficError(f"{where}, flow {number}, byte {frame.at:,}: {why}; {_REMEDY}")
