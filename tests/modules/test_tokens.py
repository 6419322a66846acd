"""Registries that want a token: a real one, whose tokens and blobs come from servers of the test's own."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from images import WASM, plugin_image
from registries import Asked, Reply, Running, Small, installed, registry, server
from signing import Signer

from simwasm.errors import InputError
from simwasm.modules.find import find

pytestmark = installed
_BASIC = f"Basic {base64.b64encode(b'me:s3cret:').decode()}"


class Stage(NamedTuple):
    """A registry, and those that it sends one to."""

    registry: Running
    tokens: Small
    blobs: Small


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder, signer = tmp_path_factory.mktemp("registry"), Signer()
    signer.write_certificate(folder / "authority.pem")

    def token(asked: Asked) -> Reply:
        words = parse_qs(asked.body.decode() or urlsplit(asked.path).query)
        repository = words.get("scope", ["repository::pull"])[0].split(":")[1]
        known = asked.headers.get("Authorization") == _BASIC or words.get("refresh_token") == ["my identity"]
        if not known and not repository.startswith("public/"):
            return Reply(401)
        key = "access_token" if asked.method == "POST" else "token"
        return Reply(body=json.dumps({key: signer.token(repository, "tests", "loopback")}).encode())

    def blob(asked: Asked) -> Reply:
        return Reply(body=Path(f"{folder}/data{urlsplit(asked.path).path}").read_bytes())

    with ExitStack() as stack:
        tokens, blobs = stack.enter_context(server(token)), stack.enter_context(server(blob))
        running = stack.enter_context(registry(folder, _configured(tokens, blobs)))
        layout = plugin_image(tmp_path_factory.mktemp("pushed") / "x")
        for name in ("public/auth:v1", "team/auth:v1"):
            running.push(layout, name, "--dest-creds", "me:s3cret:")
        yield Stage(running, tokens, blobs)


def _configured(tokens: Small, blobs: Small) -> str:
    return (
        f"auth: {{{{token: {{{{realm: '{tokens.url}/token?from=tests', service: loopback, issuer: tests, "
        "rootcertbundle: {folder}/authority.pem}}}}\n"
        f"middleware: {{{{storage: [{{{{name: redirect, options: {{{{baseurl: '{blobs.url}'}}}}}}}}]}}}}\n"
    )


@pytest.fixture(autouse=True)
def nobody_was_asked(stage: Stage) -> None:
    stage.tokens.asked.clear()
    stage.blobs.asked.clear()


def login(host: str, entry: dict[str, str]) -> None:
    folder = Path(os.environ["DOCKER_CONFIG"])
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"auths": {host: entry}}))


def test_everybody_gets_a_token_for_what_is_public(stage: Stage) -> None:
    assert find(f"oci://{stage.registry.host}/public/auth:v1").wasm == WASM
    (asked,) = stage.tokens.asked
    assert parse_qs(urlsplit(asked.path).query) == {
        "from": ["tests"], "service": ["loopback"], "scope": ["repository:public/auth:pull"]
    }  # fmt: skip


def test_a_token_is_not_told_to_another_host(stage: Stage) -> None:
    find(f"oci://{stage.registry.host}/public/auth:v1")
    assert stage.blobs.asked and not any("Authorization" in asked.headers for asked in stage.blobs.asked)


def test_who_may_not_see_an_image_is_told(stage: Stage) -> None:
    host = stage.registry.host
    with pytest.raises(
        InputError, match=f"401 from the registry: docker login {host}, if that image is there$"
    ):
        find(f"oci://{host}/team/auth:v1")


def test_a_name_and_password_are_told_to_the_token_server(stage: Stage) -> None:
    login(stage.registry.host, {"username": "me", "password": "s3cret:"})
    assert find(f"oci://{stage.registry.host}/team/auth:v1").wasm == WASM
    assert [asked.headers["Authorization"] for asked in stage.tokens.asked] == [_BASIC]


def test_an_identity_is_changed_for_a_token(stage: Stage) -> None:
    login(stage.registry.host, {"identitytoken": "my identity"})
    assert find(f"oci://{stage.registry.host}/team/auth:v1").wasm == WASM
    (asked,) = stage.tokens.asked
    assert (asked.method, parse_qs(asked.body.decode())["grant_type"]) == ("POST", ["refresh_token"])


def test_a_token_that_the_user_has_is_used(stage: Stage) -> None:
    login(stage.registry.host, {"registrytoken": "expired"})
    with pytest.raises(
        InputError, match=r"401 from the registry: it does not accept what .*config\.json tells"
    ):
        find(f"oci://{stage.registry.host}/team/auth:v1")
    assert stage.tokens.asked == []
