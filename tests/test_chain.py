"""What a user names as a plugin is told apart by what it is, and a configuration gives all of its chain."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread

import pytest
from deployed import ROOT, chained, sample, says, three

from simwasm import recipe as recipes
from simwasm.chain import is_configuration
from simwasm.conversation import conversation
from simwasm.errors import InputError
from simwasm.recipe import Recipe
from simwasm.traffic.jsonl import write

HTTP = str(ROOT / "traces" / "traffic" / "allow_header.har")


def names(recipe: Recipe, told: list[str] | None = None) -> list[str]:
    return [plugin.name for plugin in recipes.plugins(recipe, told=(told if told is not None else []).append)]


@pytest.mark.parametrize(
    ("name", "content", "yes"),
    [
        ("a.yaml", b"", True),
        ("a", b"# what it is\n---\nkind: WasmPlugin\n", True),
        ("a", b"\xef\xbb\xbfapiVersion: x\n", True),
        ("a", "\ufeffkind: WasmPlugin\n".encode("utf-16-le"), True),
        ("a.yaml", "\ufeffkind: WasmPlugin\n".encode("utf-16-be"), True),
        ("a.txt", b'{"static_resources": {}}', True),
        ("a", b"- name: x\n", True),
        ("a.yaml", b"\0asm\x01\0\0\0", False),
        ("a", b"# simwasm\n\nRun, watch and test: everything.\n", False),
        ("a.wat", b"(module)", False),
        ("a", b"", False),
    ],
)
def test_a_configuration_is_known_by_its_content(
    tmp_path: Path, name: str, content: bytes, yes: bool
) -> None:
    (tmp_path / name).write_bytes(content)
    assert is_configuration(str(tmp_path / name)) is yes


def test_plugins_run_in_the_order_of_istio(tmp_path: Path) -> None:
    path = three(tmp_path / "chain.yaml")
    assert names(Recipe(str(path))) == ["shop.allow", "shop.auth", "shop.body"]


@pytest.mark.parametrize("name", ["auth", "shop.auth"])
def test_one_is_chosen_by_its_name_with_or_without_the_namespace(tmp_path: Path, name: str) -> None:
    assert names(Recipe(str(three(tmp_path / "chain.yaml")), name=name)) == ["shop.auth"]


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    path = three(tmp_path / "chain.yaml")
    names(Recipe(str(path)))
    chained(path, ("other", sample("http_auth"), {}))
    assert names(Recipe(str(path))) == ["shop.other"]


def test_modules_are_replaced_by_the_names_of_plugins(tmp_path: Path) -> None:
    path = three(tmp_path / "chain.yaml")
    other = ROOT / "samples" / "rate_limit" / "plugin.wasm"
    found = recipes.plugins(Recipe(str(path), module=(f"auth={other}",)))
    assert [plugin.wasm == other.read_bytes() for plugin in found] == [False, True, False]
    assert recipes.files(Recipe(str(path), module=(f"auth={other}",)))[2] == str(other)


def test_a_module_in_place_of_an_image_needs_no_name_where_there_is_one_plugin(tmp_path: Path) -> None:
    path = chained(tmp_path / "one.yaml", ("auth", "ghcr.io/team/auth:v1", {}))
    other = ROOT / "samples" / "http_auth" / "plugin.wasm"
    (found,) = recipes.plugins(Recipe(str(path), module=(str(other),), config="{}"))
    assert (found.name, found.wasm, found.config) == ("shop.auth", other.read_bytes(), b"{}")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "nobody"}, "has no plugin called nobody (--name); in the order they run: shop.allow, shop.auth"),
        ({"config": "{}"}, "--config: of which plugin? There are shop.allow, shop.auth, shop.body: choose one by"),
        ({"env": ("A=1",)}, "--env: of which plugin?"),
        ({"module": ("new.wasm",)}, "--module new.wasm: of which plugin? Write NAME=new.wasm"),
        ({"network": True}, "--network: shop.allow, shop.auth, shop.body: for HTTP, not for TCP connections"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_asked(tmp_path: Path, options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as error:
        recipes.plugins(Recipe(str(three(tmp_path / "chain.yaml")), **options))  # type: ignore[arg-type]  # they fit
    assert said in str(error.value)


def test_where_one_is_needed_several_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"has 3 plugins, and this is for one: choose by --name: shop\.allow"
    ):
        recipes.plugin(Recipe(str(three(tmp_path / "chain.yaml"))))


def mixed(folder: Path) -> Path:
    return chained(
        folder / "mixed.yaml",
        ("tcp", says(folder, "tcp"), {"type": "NETWORK"}),
        ("http", says(folder, "http"), {}),
    )


def test_requests_and_connections_meet_different_plugins(tmp_path: Path) -> None:
    path, told = str(mixed(tmp_path)), list[str]()
    assert names(Recipe(path), told) == ["shop.http"]
    assert [text.partition(": ")[2] for text in told] == [
        "shop.tcp is for TCP connections and is left out; --network runs it in place of those for HTTP"
    ]
    assert names(Recipe(path, network=True), told) == ["shop.tcp"]
    where, _, said = told[1].partition(": ")
    assert (Path(where.split(":")[0]), said) == (Path(path), "shop.http is for HTTP and is left out")


def test_where_all_are_for_connections_nobody_has_to_say_so(tmp_path: Path) -> None:
    traffic = tmp_path / "talk.jsonl"
    with traffic.open("wb") as file:
        write([conversation("1", ())], file)
    recipe = Recipe(str(mixed(tmp_path)), (str(traffic),), name="tcp")
    assert (names(recipe), len(list(recipes.exchanges(recipe)))) == (["shop.tcp"], 1)


def test_debug_information_is_that_of_the_plugin_whose_it_is(tmp_path: Path) -> None:
    file = ROOT / "samples" / "allow_header" / "plugin.debug.wasm"
    path = chained(tmp_path / "two.yaml", ("auth", sample("http_auth"), {}), ("allow", f"file://{file}", {}))
    found = recipes.plugins(Recipe(str(path), debug_file=str(file)))
    assert [(plugin.name, plugin.debug is not None) for plugin in found] == [
        ("shop.allow", True),
        ("shop.auth", False),
    ]


@pytest.mark.parametrize(("options", "count"), [({}, 5), ({"filter": "method:POST"}, 1), ({"limit": 2}, 2)])
def test_exchanges_are_chosen(options: dict[str, object], count: int) -> None:
    recipe = Recipe(sample("allow_header"), (HTTP,), **options)  # type: ignore[arg-type]  # they fit
    assert len(list(recipes.selected(recipe))) == count


def test_swapped_plugin_and_traffic_are_told_though_a_har_looks_like_a_configuration() -> None:
    with pytest.raises(InputError, match="did you swap plugin and traffic"):
        recipes.plugins(Recipe(HTTP, (str(ROOT / "samples" / "http_auth" / "plugin.wasm"),)))


def test_a_variable_that_the_proxy_would_have_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SET_HERE", "x")
    variables = [{"name": name, "valueFrom": "HOST"} for name in ("SET_HERE", "NOT_SET", "GIVEN")]
    spec = {"vmConfig": {"env": variables}}
    path = chained(tmp_path / "one.yaml", ("auth", sample("http_auth"), spec))
    told: list[str] = []
    names(Recipe(str(path), env=("GIVEN=y",)), told)
    (text,) = told
    assert text.endswith("from the proxy's environment: NOT_SET (export it, or --env NAME=VALUE)")


def test_what_comes_by_a_pipe_is_decoded_as_a_file_is(tmp_path: Path) -> None:
    file, pipe = three(tmp_path / "chain.yaml"), tmp_path / "pipe"
    os.mkfifo(pipe)
    text = "\ufeff" + file.read_text()
    Thread(target=pipe.write_bytes, args=(text.encode("utf-16-le"),), daemon=True).start()
    assert names(Recipe(str(pipe))) == ["shop.allow", "shop.auth", "shop.body"]


def test_what_comes_by_a_pipe_and_is_no_text_is_told(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    Thread(
        target=pipe.write_bytes, args=(b"kind: WasmPlugin\nmetadata: {name: caf\xe9}\n",), daemon=True
    ).start()
    with pytest.raises(InputError, match="pipe:2: is not UTF-8 at byte 37"):
        names(Recipe(str(pipe)))
