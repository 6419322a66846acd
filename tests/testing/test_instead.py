"""What a test says in the place of the host or of a callback."""

from __future__ import annotations

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


def test_a_callback_returns_what_the_test_says(engine: Engine) -> None:
    plugin = sample("allow_header", engine)
    plugin.instead(REQUEST, HeadersAction.CONTINUE)
    assert plugin.send("GET", "/").action(REQUEST) is Action.CONTINUE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("proxy_lg",), "no version of the ABI has proxy_lg"),
        (("proxy_log", 3), "proxy_log is answered with a Status, not with 3"),
        (("proxy_log", Status.OK, "x"), r"proxy_log gives nothing, and not \('x',\)"),
        (("proxy_get_property", Status.OK, "x"), r"proxy_get_property gives value: bytes, and not \('x',\)"),
        (("proxy_get_property",), r"proxy_get_property gives value: bytes, and not \(\)"),
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
