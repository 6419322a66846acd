"""What each table selects from the views over the lines.

Rule: a dear column, which needs a window or a join, is only there if the question names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set

from simwasm.database.tables import CALLBACKS, CALLS, EXCHANGES, HEADERS, LOGS, Table
from simwasm.database.tables import FUNCTIONS as TOTALS
from simwasm.database.views import END, GAVE, MARKS, OUTCOME, TOLD, Views, field, literal

_COMMON = {
    "context": f"{field('context')}::BIGINT",
    "function": field("call"),
    "args": "json_extract(json, '$.args')",
    "status": f"{END}result",
    "result": "gave",
    "reason": f"{END}reason",
    "trap": f"{END}trap_kind || coalesce(': ' || nullif({END}trap_detail, ''), '')",
    "duration": f"{END}took_ns::BIGINT",
    "instructions": f"{END}instructions::BIGINT",
}
DEAR = frozenset(("exchange", GAVE, *TOLD, *(column for columns in MARKS.values() for column in columns)))
"""The columns that are left out where nobody names them."""


def selection(views: Views, table: Table, wanted: Set[str]) -> str:
    """The table, with the columns that are wanted and those that cost little."""
    return _TABLES[table.name](views, wanted)


def _columns(views: Views, table: Table, wanted: Set[str], made: Mapping[str, str]) -> str:
    """The list of what is selected."""
    made = {"file": views.name(), "plugin": views.plugin(), **_COMMON, **made}
    return ", ".join(
        f"{made.get(column.name, column.name)} as {column.name}"
        for column in table.columns
        if column.name not in DEAR or column.name in wanted
    )


def _joined(views: Views, calls: str, wanted: Set[str]) -> str:
    """Calls, with the exchange they belong to where that is wanted."""
    if "exchange" not in wanted:
        return f"({calls})"
    life = " and l.n between c.begins and c.till" if views.again else ""
    return (
        f"(select l.*, c.exchange from (select *, {views.plugin()} as owner, {field('context')}::BIGINT as number"
        f" from ({calls})) l left join inside.contexts c on c.f = l.f and c.plugin = l.owner"
        f" and c.context = l.number{life})"
    )


def _calls(views: Views, wanted: Set[str]) -> str:
    source = _joined(views, views.calls(wanted, "depth % 2 = 1"), wanted)
    return f"select {_columns(views, CALLS, wanted, {})} from {source} order by n"


def _callbacks(views: Views, wanted: Set[str]) -> str:
    ends = {"answer" if column == "result" else column for column in wanted}
    source = _joined(views, views.calls(ends, "depth % 2 = 0"), wanted)
    return f"select {_columns(views, CALLBACKS, wanted, {'result': f'{END}result'})} from {source} order by n"


def _logs(views: Views, wanted: Set[str]) -> str:
    keep = (
        "depth % 2 = 1 and (contains(json, '\"proxy_log\"') or contains(json, '\"fd_'))"
        f" and {field('call')} in ('proxy_log', 'fd_write', 'fd_pwrite')"
    )
    # A log line is one line of the file: the host does not call the plugin meanwhile.
    source = _joined(views, views.calls(set(wanted) - {"status"}, keep), wanted)
    made = {
        "level": "coalesce(json->>'$.args.level', case json->>'$.args.fd' when '2' then 'ERROR' else 'INFO' end)",
        "message": "coalesce(json->>'$.args.message', json->>'$.args.iovs')",
    }
    return (
        f"select {_columns(views, LOGS, wanted, made)} from {source}"
        f" where coalesce(json->>'$.result', 'OK') in ({_GOOD}) order by n"
    )


_GOOD = "'OK', 'SUCCESS'"
_MESSAGES = (
    ("upstream_request", "headers", "$.outcome.upstream_request.headers"),
    ("upstream_request", "trailers", "$.outcome.upstream_request.trailers"),
    ("response", "headers", "$.outcome.response.headers"),
    ("response", "trailers", "$.outcome.response.trailers"),
)
_SENT = (
    ("callout", "headers", "proxy_http_call", "$.args.headers"),
    ("callout", "trailers", "proxy_http_call", "$.args.trailers"),
    ("callout", "metadata", "proxy_grpc_call", "$.args.initial_metadata"),
    ("callout", "metadata", "proxy_grpc_stream", "$.args.initial_metadata"),
    ("local_reply", "headers", "proxy_send_local_response", "$.args.headers"),
)
"""Where whole lists of headers are: message, place, function, path in the line."""


def _headers(views: Views, wanted: Set[str]) -> str:
    of_outcomes = ", ".join(_pairs(message, place, path) for message, place, path in _MESSAGES)
    whens = " ".join(
        f"when {literal(function)} then [{', '.join(_pairs(*row) for row in _sent(function))}]"
        for function in dict.fromkeys(function for _, _, function, _ in _SENT)
    )
    named = " or ".join(
        f"contains(json, '\"{function}\"')" for function in dict.fromkeys(row[2] for row in _SENT)
    )
    if "exchange" in wanted:
        outcomes = (
            f"select e.*, c.exchange from ({views.endings()}) e left join"
            " inside.exchanges c on e.f = c.f and e.n = c.ending"
        )
        more = ", exchange"
    else:
        outcomes, more = views.endings(), ""
    calls = _joined(views, f"select * from ({views.lines()}) where o >= 0 and ({named})", wanted)
    made = {
        "message": "list.message",
        "place": "list.place",
        "name": "pair->>'$[0]'",
        "value": "pair->>'$[1]'",
    }
    return f"""
select {_columns(views, HEADERS, wanted, made)} from (
  select f, n{more}, list, generate_subscripts(list.pairs, 1) nth, unnest(list.pairs) pair from (
    select f, n{more}, unnest([{of_outcomes}]) list from ({outcomes})
    union all
    select f, n{more}, unnest(case {field("call")} {whens} end) list from {calls}))
order by n, message desc, place, nth"""


def _sent(function: str) -> list[tuple[str, str, str]]:
    return [(message, place, path) for message, place, name, path in _SENT if name == function]


def _pairs(message: str, place: str, path: str) -> str:
    return (
        f"{{'message': {literal(message)}, 'place': {literal(place)},"
        f" 'pairs': json_extract(json, {literal(path)})::JSON[]}}"
    )


def _exchanges(views: Views, wanted: Set[str]) -> str:
    marked = {"row", "time"} & set(wanted) | ({"time"} if "took" in wanted else set())
    marked |= {"row"} if "last_row" in wanted else set()
    made = {
        "exchange": "exchange",
        "id": "outcome->>'exchange'",
        "name": "outcome->>'name'",
        "row": "b.row",
        "last_row": "e.lasts::BIGINT",
        "time": "b.time",
        "took": "e.time - b.time",
        "method": _of_request(":method", 1),
        "path": _of_request(":path", 2),
        "authority": _header("$.upstream_request.headers", ":authority"),
        "status": "(outcome->>'status')::INTEGER",
        "local_reply": "coalesce((outcome->>'local_reply')::BOOLEAN, false)",
        "details": "outcome->>'details'",
        "reset": "outcome->>'reset'",
        "waiting": "outcome->>'waiting'",
        "upstream": "json_exists(outcome, '$.upstream_request')",
        "body": "outcome->>'$.response.body'",
        "instructions": "(outcome->>'instructions')::BIGINT",
    }
    stands = joins = ""
    if marked:
        begun = f"n in (select begun from inside.exchanges) or {OUTCOME}"
        kept = [
            each for each, needs in (("row", "row"), ("lasts", "row"), ("time", "time")) if needs in marked
        ]
        stands = (
            "with stands as materialized"
            f" (select f, n, {', '.join(kept)} from ({views.marks(marked)}) where {begun}) "
        )
        joins = (
            " left join stands b on b.f = x.f and b.n = x.begun"
            " left join stands e on e.f = x.f and e.n = x.ending"
        )
    columns = ", ".join(
        f"{made.get(column.name, column.name)} as {column.name}"
        for column in EXCHANGES.columns[1:]
        if column.name not in _STANDING or column.name in wanted
    )
    return f"""
{stands}select {views.name().replace("[f]", "[x.f]")} as file, {columns} from (
  select c.*, json_extract(o.json, '$.outcome') as outcome
  from inside.exchanges c left join ({views.endings()}) o on c.f = o.f and c.ending = o.n) x{joins}
order by x.f, exchange"""


_STANDING = ("row", "last_row", "time", "took")


def _header(path: str, name: str) -> str:
    return (
        f"list_filter(json_extract(outcome, {literal(path)})::JSON[],"
        f" pair -> (pair->>'$[0]') = {literal(name)})[1]->>'$[1]'"
    )


def _of_request(name: str, word: int) -> str:
    """A part of the request: as the upstream received it, else as the exchange's name tells it."""
    told = (
        f"if(regexp_matches(outcome->>'name', '^[A-Z]+ /'), split_part(outcome->>'name', ' ', {word}), null)"
    )
    return f"coalesce({_header('$.upstream_request.headers', name)}, {told})"


def _totals(views: Views, wanted: Set[str]) -> str:
    measured = [name for name in ("duration", "instructions") if name in wanted]
    fields = {"status", "trap", *measured}
    sums = "".join(f", sum({name}) as {name}" for name in measured)
    kept = ", ".join(["file", "function", *measured])
    failed = f"coalesce(status not in ({_GOOD}), false) or trap is not null"
    return f"""
select file, function, any_value(side) as side, count(*) as calls, count(*) filter (failed) as failed{sums}
from (select {kept}, 'host' as side, {failed} as failed from ({_calls(views, fields)})
      union all
      select {kept}, 'plugin', trap is not null from ({_callbacks(views, fields)}))
group by file, function order by file, calls desc, function"""


_TABLES: dict[str, Callable[[Views, Set[str]], str]] = {
    CALLBACKS.name: _callbacks,
    CALLS.name: _calls,
    EXCHANGES.name: _exchanges,
    HEADERS.name: _headers,
    LOGS.name: _logs,
    TOTALS.name: _totals,
}
