"""What docker's file with credentials tells for a registry."""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path

import pytest

from simwasm.errors import InputError
from simwasm.modules import credentials
from simwasm.modules.credentials import Login, login

HOST = "registry.example:5000"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def written(content: object, folder: str = "") -> Path:
    path = Path(folder or os.environ["DOCKER_CONFIG"], "config.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Put a program into the path that knows credentials."""
    script = folder / "docker-credential-mine"
    script.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_without_a_file_nothing_is_known() -> None:
    assert login(HOST) == Login()


@pytest.mark.parametrize(
    "entry",
    [{"auth": encoded("me:a:b")}, {"username": "me", "password": "a:b"}, {"auth": encoded("me:a:b\0\0")}],
)
def test_a_name_and_password_are_read(entry: dict[str, str]) -> None:
    path = written({"auths": {HOST: entry}})
    found = login(HOST)
    assert found == Login("me", "a:b", source=str(path))
    assert found.basic == f"Basic {encoded('me:a:b')}"


@pytest.mark.parametrize("key", [f"https://{HOST}", f"http://{HOST}/v1/", f"{HOST}/v2"])
def test_a_key_may_be_an_address(key: str) -> None:
    written({"auths": {key: {"auth": encoded("me:x")}}})
    assert login(HOST).user == "me"


@pytest.mark.parametrize("key", ["https://index.docker.io/v1/", "docker.io", "index.docker.io"])
def test_the_hub_has_several_names(key: str) -> None:
    written({"auths": {key: {"auth": encoded("me:x")}}})
    assert login("docker.io").user == "me"


def test_other_registries_are_not_told(tmp_path: Path) -> None:
    written({"auths": {"registry.example": {"auth": encoded("me:x")}, HOST + "1": {"auth": encoded("me:x")}}})
    assert login(HOST) == Login()


def test_a_name_that_is_no_text_is_told_as_well_as_it_can_be() -> None:
    written({"auths": {HOST: {"username": "\ud800", "password": "x"}}})
    assert login(HOST).basic == f"Basic {encoded('?:x')}"


def test_tokens_are_read() -> None:
    written({"auths": {HOST: {"identitytoken": "a", "registrytoken": "b"}}})
    assert login(HOST)[2:4] == ("a", "b")


def test_an_entry_without_credentials_knows_nothing() -> None:
    written({"auths": {HOST: {}}})
    assert login(HOST) == Login()


def test_the_file_of_podman_is_read_where_docker_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "containers").mkdir()
    (tmp_path / "containers" / "auth.json").write_text(
        json.dumps({"auths": {HOST: {"auth": encoded("me:x")}}})
    )
    assert login(HOST).user == "me"


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"auths": []},
        {"auths": {HOST: "x"}},
        {"credHelpers": 1},
        {"credsStore": 1},
        {"auths": {HOST: {"auth": 1}}},
    ],
)
def test_what_is_of_another_kind_is_passed_over(content: object) -> None:
    written(content)
    assert login(HOST) == Login()


@pytest.mark.parametrize("content", ["", "{", "[]", "\0"])
def test_a_file_that_is_no_json_is_told(content: str) -> None:
    path = written(content)
    with pytest.raises(InputError, match="is not"):
        login(HOST)
    with pytest.raises(InputError) as error:
        login(HOST)
    assert str(error.value).startswith(f"{path}: ")


def test_what_is_no_base64_is_told_and_not_shown() -> None:
    path = written({"auths": {HOST: {"auth": "s3cret!"}}})
    with pytest.raises(InputError) as error:
        login(HOST)
    assert str(error.value) == f"{path}: an `auth` in it is no base64: `docker login` writes it anew"


# Programs.


def test_a_program_is_asked_for_its_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, 'print(\'{"Username": "\' + sys.stdin.read() + \'", "Secret": "x"}\')')
    path = written({"credHelpers": {HOST: "mine"}, "credsStore": "other"})
    assert login(HOST) == Login(HOST, "x", source=f"docker-credential-mine, named in {path}")


def test_a_program_may_know_an_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, 'print(\'{"Username": "<token>", "Secret": "x"}\')')
    written({"credsStore": "mine"})
    assert login(HOST).identity == "x"


def test_a_program_that_knows_nothing_leaves_it_to_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, monkeypatch, "sys.exit('credentials not found in native keychain')")
    written({"credsStore": "mine", "auths": {HOST: {"auth": encoded("me:x")}}})
    assert login(HOST).user == "me"


@pytest.mark.parametrize(
    "body", ["", "print('{}')", "print('[1]')", "print('[' * 100000)", "print('{\"Username\": ')"]
)
def test_an_answer_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    program(tmp_path, monkeypatch, body)
    path = written({"credsStore": "mine"})
    with pytest.raises(InputError) as error:
        login(HOST)
    assert str(error.value) == f"docker-credential-mine, which {path} names: its answer is not understood"


def test_a_program_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, "import time; time.sleep(60)")
    monkeypatch.setattr(credentials, "_PATIENCE_S", 0.1)
    written({"credsStore": "mine"})
    with pytest.raises(InputError, match=r"names: no answer in 0\.1 s"):
        login(HOST)


def test_a_program_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    path = written({"credsStore": "mine"})
    with pytest.raises(InputError) as error:
        login(HOST)
    assert str(error.value) == f"{path}: names docker-credential-mine, which is not installed here"


@pytest.mark.parametrize("name", ["../../bin/sh", "x; rm", "-x", "a/b", "x" * 100, "\n"])
def test_the_name_of_a_program_is_no_path(name: str) -> None:
    written({"credsStore": name})
    with pytest.raises(InputError, match="is no name of a docker-credential program"):
        login(HOST)
