"""What a test says in the place of the host or of a callback."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest
from scripted import OUT, REQUEST, Call
from under_test import sample, written

from simwasm.abi.enums import HeadersAction, Status
from simwasm.engines.engine import Engine
from simwasm.errors import InputError
from simwasm.testing import Action

GET: Call = ("proxy_get_header_map_value", 0, "x", OUT, OUT)


def test_a_host_call_is_answered_by_the_test(engine: Engine, tmp_path: Path) -> None:
    plugin = written(tmp_path, {REQUEST: [GET, GET]}, engine=engine.name)
    plugin.instead("proxy_get_header_map_value", Status.OK, "said", nth=1)
    calls = plugin.send("GET", "/").phases[0].calls
    assert [(call.result, call.values) for call in calls] == [(Status.NOT_FOUND, ()), (Status.OK, ("said",))]


@pytest.mark.parametrize("said", [Action.CONTINUE, HeadersAction.CONTINUE], ids=["action", "of headers"])
def test_a_callback_returns_what_the_test_says(engine: Engine, said: IntEnum) -> None:
    plugin = sample("allow_header", engine)
    plugin.instead(REQUEST, said)
    assert plugin.send("GET", "/").action(REQUEST) is Action.CONTINUE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("proxy_lg",), "instead: the plugin's ABI has no proxy_lg"),
        (("proxy_log", 3), "instead: proxy_log is answered with a Status, not with 3"),
        (("proxy_log", Status.OK, "x"), "instead: proxy_log writes nothing: 0 values are needed"),
        (("proxy_log", Status.BAD_ARGUMENT, "x"), "instead: proxy_log gives values only with Status.OK"),
        (("proxy_get_property", Status.OK, 7), "instead: value is text or bytes"),
        (("proxy_get_property",), r"instead: proxy_get_property writes value \(.*\): 1 values are needed"),
        (("proxy_on_log", 1), "instead: proxy_on_log returns nothing"),
    ],
)
def test_a_slip_is_told(words: tuple[Any, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        sample("allow_header").instead(*words)


def test_a_refusal_gives_nothing(tmp_path: Path) -> None:
    plugin = written(tmp_path, {REQUEST: [GET]})
    plugin.instead("proxy_get_header_map_value", Status.BAD_ARGUMENT)
    (call,) = plugin.send("GET", "/").phases[0].calls
    assert call.result is Status.BAD_ARGUMENT


def test_it_is_said_before_the_plugin_is_used() -> None:
    plugin = sample("allow_header")
    plugin.send("GET", "/")
    with pytest.raises(InputError, match="instead: proxy_log comes too late"):
        plugin.instead("proxy_log")


@pytest.mark.filterwarnings("ignore:.*never happened")
def test_what_was_said_and_is_never_asked_is_known(tmp_path: Path) -> None:
    plugin = written(tmp_path, {REQUEST: [GET]})
    plugin.instead("proxy_get_header_map_value", Status.OK, "said", nth=1)
    plugin.fault("trap:proxy_on_response_body")
    plugin.send("GET", "/")
    assert list(plugin._life.missed()) == [
        "the fault trap:proxy_on_response_body",
        "what is said instead of proxy_get_header_map_value",
    ]
