"""The page of a run has its figures, asks nobody for anything, and nothing in it is anybody else's markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import cycle, islice
from pathlib import Path

import pytest

from simwasm import recipe as recipes
from simwasm.errors import InputError
from simwasm.replay.job import Job
from simwasm.replay.report_page import Reported, report_page, write_report
from simwasm.replay.shard import Ended, play
from simwasm.replay.summary import Summary
from simwasm.traffic.importer import read_traffic

ROOT = Path(__file__).parents[2]
TRAFFIC = ROOT / "traces" / "traffic"
HTTP_AUTH = recipes.Recipe(
    str(ROOT / "samples" / "http_auth" / "plugin.wasm"), callout=("auth=403",), fuel=10_000_000
)


@pytest.fixture(scope="module")
def run() -> Reported:
    job = Job(recipes.plugins(HTTP_AUTH), recipes.clusters(HTTP_AUTH), "wasmtime")
    exchanges = list(read_traffic(TRAFFIC / "http_auth.har"))
    *_, ended = play(job, enumerate(islice(cycle(exchanges), 200), 1))
    assert isinstance(ended, Ended)
    return Reported(ended.summary, job.plugins, ("a&b.har",))


class Pieces(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.open: list[str] = []
        self.said = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data + " "


def test_it_is_well_formed_and_complete_in_itself(run: Reported) -> None:
    page = report_page(run)
    pieces = Pieces(page)
    assert not pieces.open
    assert not {"script", "link", "img", "iframe"} & set(pieces.elements)
    assert not re.search(r"https?:|url\(|@import", page)


def test_it_tells_the_figures_of_the_run(run: Reported) -> None:
    said = " ".join(Pieces(report_page(run)).said.split())
    found = run.summary
    assert f"{found.exchanges:,} exchanges" in said
    assert f"{found.local_replies:,} local replies" in said
    assert f"{found.callouts.total:,} callouts" in said
    for (before, after), times in found.changes.most_first():
        assert f"{before} {after} {times:,}" in said
    assert "proxy_on_request_headers" in said and "a&b.har" in said and "#200" in said


def test_what_others_say_is_text(run: Reported) -> None:
    nasty = "<script>alert(1)</script>\x1b[31m"
    plugins = tuple(replace(plugin, name=nasty) for plugin in run.plugins)
    page = report_page(Reported(Summary(), plugins, (nasty,), (nasty,)))
    assert "<script" not in page and "\x1b" not in page
    assert Pieces(page).said.count("<script>alert(1)</script>\\x1b[31m") == 4


def test_a_run_without_exchanges_has_a_page(run: Reported) -> None:
    assert "There was no exchange." in report_page(run._replace(summary=Summary()))


def test_its_size_does_not_depend_on_the_traffic(run: Reported) -> None:
    """The same part of a run a hundred times is hardly a longer page."""
    many = Summary()
    for _ in range(100):
        many.merge(run.summary)
    assert len(report_page(run._replace(summary=many))) < 1.2 * len(report_page(run))


def test_where_it_cannot_be_written_is_told(run: Reported, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--report .*gone.r\.html: cannot be written: No such file"):
        write_report(tmp_path / "gone" / "r.html", run)
