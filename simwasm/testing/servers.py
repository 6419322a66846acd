"""The servers around a plugin under test: what the host asks, and which of them answers.

Rule: what a test says comes before what options say, and that before what was recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simwasm.answers import Clusters
from simwasm.errors import InputError
from simwasm.exchange import Exchange, Message
from simwasm.grpc_answers import Talk
from simwasm.host.ports import Answer, Callout, Service
from simwasm.session import nobody, recorded
from simwasm.testing.upstream import Upstream


class _Known(Mapping[str, bool]):
    """The clusters that there are, and of each whether it has a host."""

    def __init__(self, said: Mapping[str, Upstream], given: Mapping[str, bool]) -> None:
        self._said = said
        self._given = given

    def __getitem__(self, name: str) -> bool:
        return self._said[name].has_host if name in self._said else self._given[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._given, **dict.fromkeys(self._said, True)})

    def __len__(self) -> int:
        return len({*self._given, *self._said})

    def __contains__(self, name: object) -> bool:
        return name in self._said or name in self._given


class Servers:
    """The upstream of requests, and the clusters of callouts."""

    def __init__(self, given: Clusters) -> None:
        self._upstream = Upstream("")
        self._said: dict[str, Upstream] = {}
        self._given = given
        """Those that were given as options."""
        self.clusters: Mapping[str, bool] = _Known(self._said, given.names)
        """The clusters that there are, also those that are said later, and of each whether it has a host."""
        self.answers: dict[int, Answer] = {}
        """What the upstream answered because a test said so, by the `id` of the exchange."""

    def named(self, cluster: str | None) -> Upstream:
        """The server of that name; the upstream of requests where there is none."""
        if cluster is None:
            return self._upstream
        if cluster not in self._said:
            self._said[cluster] = Upstream(cluster)
        return self._said[cluster]

    def ask_upstream(self, exchange: Exchange, request: Message) -> Answer:
        """Answer a request that has passed the plugin."""
        found = self._upstream.ask(request)
        if isinstance(found, Talk):
            raise InputError("upstream: a gRPC service cannot answer requests; write replies()")
        if found is None:
            return recorded(exchange, request)
        self.answers[id(exchange)] = found
        return found

    def ask_cluster(self, callout: Callout) -> Answer | Service:
        """Answer a callout."""
        said = self._said.get(callout.cluster)
        found: Answer | Service | None = said.ask(callout.request) if said is not None else None
        if found is None and callout.cluster in self._given.names:
            found = self._given.ask(callout)
        return nobody(callout) if found is None else found
