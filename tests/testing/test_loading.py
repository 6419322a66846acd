"""How plugins get into a test, and what is said when they do not."""

from __future__ import annotations

from pathlib import Path

import pytest
import wasmtime
from scripted import CONFIGURE, REQUEST, TRAP
from under_test import ROOT, Calls, sample, written

from simwasm.errors import InputError, LinkError, PluginError, SimwasmError
from simwasm.testing import load_plugin

ALLOW = ROOT / "samples/allow_header/plugin.wasm"


def test_a_configuration_may_be_a_mapping_a_text_or_bytes() -> None:
    made = [
        sample("config_loading", config=config).send("GET", "/").response.headers["x-by"]
        for config in (
            {"header": "x-by", "value": "me"},
            '{"header": "x-by", "value": "me"}',
            b'{"header": "x-by", "value": "me"}',
        )
    ]
    assert made == ["me"] * 3


def test_a_wasm_plugin_in_yaml_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "plugin.yaml"
    path.write_text(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: by}\nspec:\n"
        f"  url: file://{ROOT}/samples/config_loading/plugin.wasm\n"
        "  pluginConfig: {header: x-by, value: yaml}\n"
    )
    plugin = load_plugin(path)
    assert plugin.send("GET", "/").response.headers["x-by"] == "yaml"


def test_nothing_runs_before_a_plugin_is_used() -> None:
    plugin = sample("config_loading", config="{")
    assert len(plugin.trace.rows) == 0
    with pytest.raises(PluginError, match="proxy_on_configure returned false"):
        plugin.send("GET", "/")


def test_a_plugin_that_did_not_start_says_so_every_time() -> None:
    plugin = sample("config_loading", config="{")
    for _ in range(2):
        with pytest.raises(PluginError, match="proxy_on_configure returned false"):
            plugin.send("GET", "/")
    assert plugin.logs.at_least("error")


def test_a_plugin_that_traps_at_its_start_says_so(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="Failed to configure base Wasm plugin: unreachable"):
        written(tmp_path, {CONFIGURE: [TRAP]}).send("GET", "/")


@pytest.mark.parametrize(
    ("path", "options", "said"),
    [
        ("nowhere.wasm", {}, "nowhere.wasm: cannot be read: No such file or directory; is the path right?"),
        (str(ROOT / "README.md"), {}, "README.md: not a Wasm module: it is text"),
        (str(ALLOW), {"confg": ""}, "there is no option `confg`; did you mean `config`?"),
        (str(ALLOW), {"traffic": ()}, "there is no option `traffic`; known are config,"),
        (str(ALLOW), {"engine": "v8"}, "no engine is called v8"),
        (str(ALLOW), {"log_level": "loud"}, "log_level: `loud` is none of trace, debug"),
        (str(ALLOW), {"fault": "malloc#x"}, "`malloc#x` is no fault"),
        (str(ALLOW), {"fail_policy": "never"}, "`never` is none; it can be closed"),
        (str(ALLOW), {"config": {"a": {1}}}, "this cannot be written as JSON"),
        (str(ALLOW), {"fuel": 0}, "--fuel: 0 is not a positive number"),
        (str(ALLOW), {"fuel": "1"}, "load_plugin: fuel='1' is no number"),
        (str(ALLOW), {"network": "yes"}, "load_plugin: network='yes' is no True or False"),
        (str(ALLOW), {"root_id": 3}, "load_plugin: root_id=3 is no text"),
        (str(ROOT), {}, "is no image"),
    ],
)
def test_a_slip_is_told(path: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(SimwasmError) as error:
        load_plugin(path, **options)  # type: ignore[arg-type]  # that is the slip
    assert said in str(error.value)


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    first = written(tmp_path, {CONFIGURE: [("proxy_log", 2, "one")]})
    second = written(tmp_path, {CONFIGURE: [("proxy_log", 2, "three")]})
    for plugin in (first, second):
        plugin.advance(0)
    assert [plugin.logs[0].text for plugin in (first, second)] == ["one", "three"]


def test_plugins_of_one_file_share_nothing_that_they_change() -> None:
    one, other = sample("rate_limit"), sample("rate_limit")
    for _ in range(4):
        last = one.send("GET", "/")
    assert (last.response.status, other.send("GET", "/").response.status) == (429, 200)


def test_lines_of_a_lower_level_are_logged_when_that_is_wanted(tmp_path: Path) -> None:
    calls: Calls = {REQUEST: [("proxy_log", 1, "hm")]}
    plugins = [written(tmp_path, calls), written(tmp_path, calls, log_level="debug")]
    seen = [len(plugin.send("GET", "/").logs) for plugin in plugins]
    assert seen == [0, 1]


def test_what_is_loaded_is_named(tmp_path: Path) -> None:
    assert repr(sample("allow_header", name="gate")).startswith("<plugin gate on ")


def test_a_swapped_configuration_is_no_file() -> None:
    with pytest.raises(InputError, match=r"nowhere\.json: cannot be read"):
        load_plugin(ALLOW, config="@nowhere.json")


def test_a_module_that_is_no_plugin_is_told(tmp_path: Path) -> None:
    path = tmp_path / "add.wasm"
    path.write_bytes(wasmtime.wat2wasm("(module)"))
    with pytest.raises(LinkError, match=r"^add: Missing or unknown Proxy-Wasm ABI version"):
        load_plugin(path)
