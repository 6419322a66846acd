"""Session files: what is written is read again, and what is broken is told in a sentence."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simwasm.abi.enums import HeadersAction, Status
from simwasm.debug import recent as recents
from simwasm.debug.branch import Override
from simwasm.debug.places import Place
from simwasm.debug.recent import Recent, recent, remember, remembered
from simwasm.debug.saved_branch import SavedBranch
from simwasm.debug.session_file import Bookmark, SavedSession, digest, load, loads, save, with_digests
from simwasm.debug.start import start_from, start_with
from simwasm.errors import ConfigError, InputError, SimwasmError
from simwasm.recipe import Recipe

ROOT = Path(__file__).parent.parent.parent
PLUGIN = str(ROOT / "samples/allow_header/plugin.wasm")
TRAFFIC = str(ROOT / "traces/traffic/allow_header.har")
PLACE = Place(2, "proxy_on_request_headers", 1, "proxy_get_header_map_value", 1, True)


def full(folder: Path) -> SavedSession:
    """A session that has something everywhere."""
    recipe = Recipe(
        str(folder / "plugin.wasm"), (str(folder / "login.har"),), config='{"a": 1}', env=("A=1",),
        callout=("auth=403",), fail_policy="reload", reload_after=5, allow=("proxy_log",), concurrency=2,
        fuel=5, log_level="debug", engine="wasmtime", fault=("malloc#2",), buffer_limit=9,
        module=(str(folder / "module.wasm"),), debug_file=str(folder / "plugin.debug.wasm"),
        source_map=(f"/build={folder}/src",),
    )  # fmt: skip
    return SavedSession(
        recipe,
        "aa",
        ("bb",),
        [{"number": 1, "where": "trap"}],
        ("body.request", 'headers.request["\udcff"]'),
        (Bookmark("here", PLACE),),
        PLACE,
        (
            SavedBranch(
                "fork 1", "run", PLACE, Override(Status.OK, (b"\x00\xff", "\udc80", 5, (("a", "b"),)))
            ),
            SavedBranch("fork 2", "fork 1", PLACE, Override(Status.NOT_FOUND)),
            SavedBranch("fork 3", "run", PLACE, Override(result=HeadersAction.PAUSE, callback=True)),
        ),
        "fork 1",
        "call:get_header",
        {"layout": "memory", "theme": ["a", 1]},
        {"from_tomorrow": {"a": [1]}},
    )


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    save(tmp_path / "a.simwasm", full(tmp_path))
    assert load(tmp_path / "a.simwasm") == full(tmp_path)


def test_a_session_moves_with_the_files_below_its_folder(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    session = full(tmp_path / "one")
    config = tmp_path / "one" / "plugin.json"
    script = tmp_path / "one" / "auth.json"
    script.write_text("[]")
    session = replace(
        session, recipe=replace(session.recipe, config=f"@{config}", callout=(f"auth={script}",))
    )
    save(tmp_path / "one" / "a.simwasm", session)
    (tmp_path / "one").rename(tmp_path / "two")
    recipe = load(tmp_path / "two" / "a.simwasm").recipe
    assert recipe.plugin == str(tmp_path / "two" / "plugin.wasm")
    assert recipe.traffic == (str(tmp_path / "two" / "login.har"),)
    assert recipe.config == f"@{tmp_path / 'two' / 'plugin.json'}"
    assert recipe.callout == (f"auth={tmp_path / 'two' / 'auth.json'}",)


def test_a_file_elsewhere_is_written_with_its_whole_path(tmp_path: Path) -> None:
    (tmp_path / "sessions").mkdir()
    save(tmp_path / "sessions" / "a.simwasm", full(tmp_path))
    content = json.loads((tmp_path / "sessions" / "a.simwasm").read_text())
    assert content["plugin"]["file"] == str(tmp_path / "plugin.wasm")


def test_keys_of_tomorrow_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.simwasm"
    file.write_text('{"simwasm_session": 1, "plugin": {"file": "p.wasm"}, "soon": [1, {"a": null}]}')
    save(file, load(file))
    assert json.loads(file.read_text())["soon"] == [1, {"a": None}]


def test_a_file_that_cannot_be_written_is_told_and_the_old_one_stays(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no/a\.simwasm: cannot be written: No such file or directory"):
        save(tmp_path / "no" / "a.simwasm", full(tmp_path))
    (tmp_path / "folder.simwasm").mkdir()
    with pytest.raises(InputError, match="cannot be written: Is a directory"):
        save(tmp_path / "folder.simwasm", full(tmp_path))
    assert [each.name for each in tmp_path.iterdir()] == ["folder.simwasm"]


BROKEN = {
    "": "is cut after 0 bytes",
    '{"simwasm_session": 1,\n "plugin": }': "not JSON at line 2, column 12",
    "[]": "must be an object",
    "{}": "is no session of simwasm",
    '{"simwasm_session": 2}': "a newer simwasm (format 2; this one reads 1): update simwasm",
    '{"simwasm_session": 0}': "has format 0",
    '{"simwasm_session": "1"}': "simwasm_session must be a whole number",
    '{"simwasm_session": 1}': 'has no "plugin"',
    '{"simwasm_session": 1, "plugin": {"file": "a\\u0000"}}': "plugin names a file by what cannot be a path",
    '{"simwasm_session": 1, "plugin": {"file": "\\ud800"}}': "plugin names a file by what cannot be a path",
    '{"simwasm_session": 1, "plugin": {"file": "p"}, "place": {"nth": "a"}}': "place cannot be used: a place has no",
    '{"simwasm_session": 1, "plugin": {"file": "p"}, "place": {"nth": -1}}': "a place has no `nth` that is -1",
    '{"simwasm_session": 1, "plugin": {"file": "p"}, "options": {"speed": 1}}': "options does not know 'speed'",
    '{"simwasm_session": 1, "plugin": {"file": "p"}, "options": {"log_level": "x"}}': "must be one of trace, debug",
    '{"simwasm_session": 1, "plugin": {"file": "p"}, "watches": [1]}': "watches[0] must be text",
}


@pytest.mark.parametrize("content", BROKEN)
def test_what_is_broken_is_told_with_its_place_and_what_to_do(content: str) -> None:
    with pytest.raises(ConfigError) as error:
        loads(content.encode(), "a.simwasm", Path("/"))
    assert str(error.value).startswith("a.simwasm: ")
    assert BROKEN[content] in str(error.value)
    assert "write it anew" in str(error.value) or "update simwasm" in str(error.value)


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
_JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
_KEYS = ("plugin", "traffic", "options", "breakpoints", "watches", "bookmarks", "place", "branches", "branch", "filter",
         "view", "others", "file", "sha256", "name", "parent", "override", "status", "values", "callback", "result",
         "base64", "exchange", "nth", "call", "config", "callout", "fuel", "env")  # fmt: skip
_LIKE = st.recursive(
    _SCALARS | st.sampled_from(("OK", "NOT_FOUND", "run", "p.wasm", "@a", "a=b")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=6),
    max_leaves=20,
)


def _reads_or_complains(data: bytes) -> None:
    try:
        loads(data, "a.simwasm", Path("/nowhere"))
    except SimwasmError as error:
        assert str(error).startswith("a.simwasm")


@given(st.binary() | st.text().map(str.encode) | _JSON.map(lambda value: json.dumps(value).encode()))
@example(b"[" * 100_000)
@example(b'{"simwasm_session": ' + b"9" * 5000 + b"}")
def test_no_file_is_ever_more_than_a_sentence(data: bytes) -> None:
    _reads_or_complains(data)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(_KEYS), _LIKE))
def test_no_session_is_ever_more_than_a_sentence(members: dict[str, Any]) -> None:
    known = {"simwasm_session": 1, "plugin": {"file": "p.wasm"}}
    _reads_or_complains(json.dumps(known | members).encode())
    _reads_or_complains(json.dumps(members | known).encode())


def test_a_plugin_that_is_gone_is_named_with_what_was_expected(tmp_path: Path) -> None:
    save(tmp_path / "a.simwasm", replace(full(tmp_path), sha256="0123456789abcdef"))
    with pytest.raises(InputError) as error:
        start_from(tmp_path / "a.simwasm")
    assert f"the plugin {tmp_path / 'plugin.wasm'} is not there" in str(error.value)
    assert "sha256 0123456789ab… was expected" in str(error.value)


def test_traffic_that_is_gone_is_named(tmp_path: Path) -> None:
    save(tmp_path / "a.simwasm", SavedSession(Recipe(PLUGIN, (str(tmp_path / "gone.har"),))))
    with pytest.raises(InputError, match=r"a recording .*gone\.har is not there"):
        start_from(tmp_path / "a.simwasm")


def test_a_plugin_that_was_rebuilt_is_a_note(tmp_path: Path) -> None:
    save(tmp_path / "a.simwasm", SavedSession(Recipe(PLUGIN, (TRAFFIC,)), "0" * 64, ("1" * 64,)))
    start = start_from(tmp_path / "a.simwasm")
    assert "plugin.wasm has changed since the session was saved" in start.notes[0]
    assert "exchanges are found by number" in start.notes[1]


def test_a_recording_that_changes_has_another_digest(tmp_path: Path) -> None:
    file = tmp_path / "a.har"
    file.write_bytes(b"one")
    before = digest(str(file))
    file.write_bytes(b"other")
    assert before != digest(str(file)) != ""
    assert digest(str(tmp_path / "gone")) == digest("\0") == ""


def test_files_that_are_as_they_were_are_no_note(tmp_path: Path) -> None:
    start = start_with(Recipe(PLUGIN, (TRAFFIC,)))
    assert start.inputs is not None
    save(
        tmp_path / "a.simwasm",
        with_digests(SavedSession(Recipe(PLUGIN, (TRAFFIC,))), start.inputs.plugins[0].sha256),
    )
    assert start_from(tmp_path / "a.simwasm").notes == ()


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of this test."""
    monkeypatch.setenv("SIMWASM_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state" / "sessions"


def test_a_session_is_remembered_by_its_plugin_and_traffic(state: Path, tmp_path: Path) -> None:
    remember(full(tmp_path))
    assert remembered(full(tmp_path).recipe) == full(tmp_path)
    assert remembered(Recipe(str(tmp_path / "plugin.wasm"))) is None


def test_recent_sessions_are_those_used_last_first(state: Path, tmp_path: Path) -> None:
    for number in range(3):
        remember(SavedSession(Recipe(f"/{number}.wasm")))
        os.utime(next(iter(recent())).path, ns=(number, number))
    assert [each.session.recipe.plugin for each in recent()] == ["/2.wasm", "/1.wasm", "/0.wasm"]


def test_only_so_many_sessions_are_remembered(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recents, "MOST", 3)
    for number in range(5):
        remember(SavedSession(Recipe(f"/{number}.wasm")))
        for index, each in enumerate(reversed(recent())):
            os.utime(each.path, ns=(index, index))
    assert {each.session.recipe.plugin for each in recent()} == {"/2.wasm", "/3.wasm", "/4.wasm"}


def test_a_broken_session_is_not_recent(state: Path, tmp_path: Path) -> None:
    remember(full(tmp_path))
    (found,) = recent()
    assert isinstance(found, Recent)
    found.path.write_bytes(b"{")
    assert recent() == ()
    assert remembered(full(tmp_path).recipe) is None


def test_without_a_state_folder_nothing_is_remembered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SIMWASM_STATE_DIR", "")
    remember(full(tmp_path))
    assert recent() == ()
    assert remembered(full(tmp_path).recipe) is None


def test_a_state_folder_that_cannot_be_written_is_no_error(state: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    remember(full(tmp_path))
    assert recent() == ()
