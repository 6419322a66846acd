"""Images at a real registry, pushed there by a real tool."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from images import OCI_LAYER, WASM, WASM_CONFIG, WASM_LAYER, Layout, layer, plugin_image
from process import Run, here
from registries import PASSWORD, Running, installed, registry

from simwasm.errors import InputError
from simwasm.modules.find import fetch, find

pytestmark = installed
OTHER = WASM + b"\0\3\2id"  # a custom section more
WASM_PLUGIN = """
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {{name: auth}}
spec: {{url: 'oci://{host}/team/auth:v1'}}
"""
simwasm: Run = here


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A registry that asks nobody who he is, with two builds of a plugin in it."""
    with registry(tmp_path_factory.mktemp("registry")) as found:
        found.push(plugin_image(tmp_path_factory.mktemp("pushed") / "x"), "team/auth:v1")
        found.push(plugin_image(tmp_path_factory.mktemp("pushed") / "x", OTHER), "team/auth:other")
        yield found


def refused(text: str, **words: str) -> str:
    with pytest.raises(InputError) as error:
        fetch(text, **words)  # type: ignore[arg-type]  # the texts among them
    return str(error.value)


def test_an_image_is_pulled(running: Running) -> None:
    told: list[str] = []
    url, digest = f"oci://{running.host}/team/auth:v1", running.digest("team/auth", "v1")
    found = find(url, told.append)
    assert found == (WASM, f"{url}@{digest}", digest[7:], "auth", None)
    assert told == [f"{url}: {len(WASM):,} bytes; to have just these again: {url}@{digest}"]


def test_a_configuration_may_leave_the_scheme_away(running: Running) -> None:
    assert fetch(f"{running.host}/team/auth:v1").wasm == WASM


@pytest.mark.parametrize("form", ["oci", "v2s2"])
def test_both_forms_of_manifests_are_istios(running: Running, form: str, tmp_path: Path) -> None:
    url = running.push(plugin_image(tmp_path / "x"), f"team/{form}:v1", "--format", form)
    told: list[str] = []
    digest = running.digest(f"team/{form}", "v1")
    assert fetch(url, sha256=digest, told=told.append).wasm == WASM and told == []


def test_an_artifact_is_istios(running: Running, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    image = layout.image((WASM, WASM_LAYER), (b"{}", WASM_CONFIG), config=WASM_CONFIG)
    url = running.push(layout.write(image), "team/artifact:v1")
    told: list[str] = []
    assert fetch(url, sha256=image["digest"], told=told.append).wasm == WASM and told == []


@pytest.mark.parametrize(
    ("layers", "doubt"),
    [
        (((WASM, "application/wasm"),), "its last layer is application/wasm, neither"),
        (((WASM, WASM_LAYER),), "as an artifact it has two layers, and here are 1"),
        (
            ((images.tar(("plugin.wasm", WASM)), OCI_LAYER[:-5]),),
            f"its last layer is {OCI_LAYER[:-5]}, neither",
        ),
    ],
)
def test_what_istio_would_not_take_is_taken_and_told(
    running: Running, tmp_path: Path, layers: tuple[tuple[bytes, str], ...], doubt: str
) -> None:
    layout = Layout(tmp_path / "x")
    image = layout.image(*layers, config="application/vnd.wasm.config.v0+json")
    url = running.push(layout.write(image), "team/odd:v1")
    told: list[str] = []
    assert fetch(url, sha256=image["digest"], told=told.append).wasm == WASM
    assert [text.partition(doubt)[0] for text in told] == [f"{url}: Istio would not take this image: "]


def test_an_image_of_other_platforms_is_taken_and_told(running: Running, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    arm = layout.image((layer(WASM[:8]), OCI_LAYER), platform={"os": "linux", "architecture": "arm64"})
    wasi = layout.image((layer(), OCI_LAYER), platform={"os": "wasi", "architecture": "wasm"})
    inner = layout.put_json({"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": [arm, wasi]})
    url = running.push(layout.write(inner), "team/platforms:v1", "--all")
    told: list[str] = []
    found = fetch(url, told=told.append)
    assert (found.wasm, found.digest) == (WASM, wasi["digest"][7:])
    assert told[0].startswith(
        f"{url}: Istio takes the image for linux/amd64, and this one is for wasi/wasm sha256:"
    )
    assert "that of all its platforms" in refused(
        url, sha256=running.digest("team/platforms", "v1")[7:], pull="Always"
    )


# What can be wrong.


def test_a_tag_that_is_not_there_is_told_with_those_that_are(running: Running) -> None:
    url = f"oci://{running.host}/team/auth:v2"
    assert refused(url).startswith(f"{url}: no such tag v2 in team/auth; its tags are: ") and "v1" in refused(
        url
    )


def test_an_image_that_is_not_there_is_told(running: Running) -> None:
    url = f"oci://{running.host}/team/nothing"
    assert refused(url) == f"{url}:latest: no such image: {running.host} has no team/nothing"


def test_a_digest_that_is_not_there_is_told(running: Running) -> None:
    url = f"oci://{running.host}/team/auth@sha256:{'0' * 64}"
    assert refused(url).startswith(f"{url}: no such image sha256:000")


def test_another_digest_than_wanted_is_told_with_both(running: Running) -> None:
    url, digest = f"oci://{running.host}/team/auth:v1", running.digest("team/auth", "v1")[7:]
    assert (
        refused(url, sha256="0" * 64)
        == f"{url}: the image is {digest}, and the configuration wants sha256 {'0' * 64}"
    )


def test_a_digest_of_the_name_and_another_one_do_not_agree(running: Running) -> None:
    url = f"oci://{running.host}/team/auth"
    other = find(f"{url}:other").digest
    assert refused(f"{url}@{running.digest('team/auth', 'v1')}", sha256=other).endswith(
        f"wants sha256 {other}"
    )


# What is kept.


def test_a_policy_says_when_to_ask_again(running: Running) -> None:
    url = running.retag("team/auth", "v1", "moving")
    assert fetch(url).wasm == WASM
    running.retag("team/auth", "other", "moving")
    assert fetch(url).wasm == fetch(url, pull="IfNotPresent").wasm == WASM
    assert fetch(url, pull="Always").wasm == OTHER
    assert fetch(url).wasm == OTHER  # what was pulled last


def test_latest_is_asked_for_always(running: Running) -> None:
    url = running.retag("team/auth", "v1", "latest")
    assert fetch(url).wasm == WASM
    running.retag("team/auth", "other", "latest")
    assert fetch(url, pull="IfNotPresent").wasm == WASM
    assert fetch(url).wasm == OTHER


def test_a_user_gets_what_the_tag_means_now(running: Running) -> None:
    url = running.retag("team/auth", "v1", "users")
    assert find(url).wasm == WASM
    running.retag("team/auth", "other", "users")
    assert find(url).wasm == OTHER


def test_what_was_pulled_is_there_without_the_registry(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    with registry(tmp_path / "registry") as running:
        url = running.push(plugin_image(tmp_path / "x"), "team/auth:v1")
        pinned = find(url).origin
    told: list[str] = []
    assert find(url, told.append).wasm == fetch(url, pull="Always", told=told.append).wasm == WASM
    assert all("Connection refused; it is taken as it was pulled before, sha256 " in text for text in told)
    assert len(told) == 2
    assert find(pinned, told.append).wasm == fetch(url, told=told.append).wasm == WASM
    digest = pinned.rpartition(":")[2]
    assert told[2:] == [
        f"{url}: as it was pulled before, sha256 {digest}; imagePullPolicy: Always asks again"
    ]


def test_what_was_changed_in_the_cache_is_pulled_again(running: Running) -> None:
    pinned = find(f"oci://{running.host}/team/auth:v1").origin
    for path in Path(os.environ["SIMWASM_CACHE_DIR"]).iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    told: list[str] = []
    assert fetch(pinned, told=told.append).wasm == WASM and told == []


def test_without_a_cache_everything_is_pulled_again(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMWASM_CACHE_DIR", "")
    url, told = f"oci://{running.host}/team/auth:v1", list[str]()
    assert fetch(url, told=told.append).wasm == fetch(url, told=told.append).wasm == WASM
    assert len(told) == 2


# Who asks.


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A registry that wants a name and a password."""
    with registry(tmp_path_factory.mktemp("locked"), PASSWORD) as found:
        layout = plugin_image(tmp_path_factory.mktemp("pushed") / "x")
        found.push(layout, "team/auth:v1", "--dest-creds", "me:s3cret:")
        yield found


def login(content: object) -> Path:
    """Write docker's file with credentials."""
    folder = Path(os.environ["DOCKER_CONFIG"])
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(content))
    return folder / "config.json"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_who_does_not_say_who_he_is_is_told_how(locked: Running) -> None:
    url = f"oci://{locked.host}/team/auth:v1"
    assert refused(url) == f"{url}: 401 from the registry: docker login {locked.host}, if that image is there"


def test_the_credentials_of_docker_are_used(locked: Running) -> None:
    login({"auths": {locked.host: {"auth": encoded("me:s3cret:")}}})
    assert find(f"oci://{locked.host}/team/auth:v1").wasm == WASM


def test_credentials_that_are_wrong_are_told_with_their_file(locked: Running) -> None:
    path = login({"auths": {f"http://{locked.host}/v2/": {"username": "me", "password": "other"}}})
    text = refused(f"oci://{locked.host}/team/auth:v1")
    assert text.endswith(
        f"401 from the registry: it does not accept what {path} tells; docker login {locked.host}"
    )


@pytest.mark.skipif(os.name != "posix", reason="the program of this test is a script of a shell")
@pytest.mark.parametrize("key", ["credsStore", "credHelpers"])
def test_a_program_of_docker_knows_the_password(
    locked: Running, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "docker-credential-mine"
    script.write_text(
        f'#!/bin/sh\nread host\n[ "$1 $host" = "get {locked.host}" ] || exit 1\n'
        'echo \'{"Username": "me", "Secret": "s3cret:"}\'\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    login({key: "mine" if key == "credsStore" else {locked.host: "mine"}})
    assert find(f"oci://{locked.host}/team/auth:v1").wasm == WASM


# On the command line.


def test_commands_take_an_image_as_a_plugin(running: Running) -> None:
    url = f"oci://{running.host}/team/auth:v1"
    ran = simwasm("inspect", url)
    assert (ran.returncode, ran.stdout.partition("\n")[0]) == (0, f"{url}  {len(WASM):,} bytes")
    assert simwasm("disasm", url, "--list").returncode == 0
    ran = simwasm("send", url, "GET", "/")
    assert "403" in ran.stdout, ran.stderr


def test_a_wasm_plugin_may_name_an_image(running: Running, tmp_path: Path) -> None:
    path = tmp_path / "auth.yaml"
    path.write_text(WASM_PLUGIN.format(host=running.host))
    ran = simwasm("send", str(path), "GET", "/")
    assert "403" in ran.stdout, ran.stderr


def test_a_module_is_looked_at_by_way_of_its_configuration(running: Running, tmp_path: Path) -> None:
    path = tmp_path / "auth.yaml"
    path.write_text(WASM_PLUGIN.format(host=running.host))
    ran = simwasm("inspect", str(path))
    assert (ran.returncode, ran.stdout.partition("\n")[0]) == (0, f"{path}  {len(WASM):,} bytes")
