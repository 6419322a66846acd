"""Registries that answer with what they should not, or that are misconfigured."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import images
import pytest
from images import OCI_LAYER, OCI_MANIFEST, WASM, Layout, layer
from registries import Asked, Reply, Small, server
from registries import tls as with_tls
from signing import Signer

from simwasm.errors import InputError
from simwasm.modules.find import fetch

Serve = Callable[..., Small]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start registries that stop with the test."""
    with ExitStack() as stack:
        yield lambda answer, wrap=None: stack.enter_context(server(answer, wrap))


def refused(host: str, tag: str = "v1") -> str:
    with pytest.raises(InputError) as error:
        fetch(f"oci://{host}/team/auth{tag and ':'}{tag}")
    return str(error.value)


def with_manifest(manifest: bytes, blob: bytes = b"", **headers: str) -> Callable[[Asked], Reply]:
    """A registry with one manifest and one blob."""
    kind = {"Content-Type": OCI_MANIFEST, **headers}
    return lambda asked: Reply(body=blob) if "/blobs/" in asked.path else Reply(headers=kind, body=manifest)


def of(**fields: object) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, **fields}).encode()


def one_layer(data: bytes, **fields: object) -> bytes:
    told = {"mediaType": OCI_LAYER, "digest": images.digest(data), "size": len(data), **fields}
    return of(layers=[told])


def test_a_small_registry_is_believed(serve: Serve) -> None:
    assert fetch(f"{serve(with_manifest(one_layer(layer()), layer())).host}/team/auth").wasm == WASM


def test_a_manifest_of_another_digest_is_refused(serve: Serve) -> None:
    host = serve(
        with_manifest(one_layer(layer()), layer(), **{"Docker-Content-Digest": f"sha256:{'0' * 64}"})
    ).host
    with pytest.raises(InputError, match=f"what is there has the digest sha256:.*, not sha256:{'0' * 64}$"):
        fetch(f"oci://{host}/team/auth@sha256:{'0' * 64}")


def test_a_blob_of_another_digest_is_refused(serve: Serve) -> None:
    other = layer()[:-1] + b"x"
    assert "what is there has the digest" in refused(serve(with_manifest(one_layer(layer()), other)).host)


def test_a_blob_that_is_longer_than_announced_is_not_read(serve: Serve) -> None:
    assert "bytes are the most" not in refused(serve(with_manifest(one_layer(layer(), size=5), layer())).host)
    assert refused(serve(with_manifest(one_layer(layer(), size=5), layer())).host).endswith(
        "bytes; 5 are the most"
    )


def test_what_a_redirect_or_an_error_says_is_no_part_of_the_blob(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be longer than the blob."""
    monkeypatch.setenv("SIMWASM_CACHE_DIR", "")
    here = with_manifest(one_layer(layer()))
    there = serve(lambda asked: Reply(body=layer())).url
    words = b"moved" * 10_000

    def redirect(asked: Asked) -> Reply:
        return Reply(307, {"Location": there}, words) if "/blobs/" in asked.path else here(asked)

    assert fetch(f"{serve(redirect).host}/team/auth").wasm == WASM
    gone = serve(lambda asked: Reply(404, body=words) if "/blobs/" in asked.path else here(asked))
    assert refused(gone.host).endswith("404 from the registry")


def test_a_huge_manifest_is_not_read(serve: Serve) -> None:
    assert refused(serve(with_manifest(bytes(5 << 20))).host).endswith(
        "is 5,242,880 bytes; 4,194,304 are the most"
    )


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (b"<html>", "its manifest: is not JSON"),
        (b"[]", "its manifest: is not a JSON object"),
        (of(layers={}), "is an image without layers"),
        (of(layers="x"), "its manifest's `layers` is no list"),
        (of(layers=[{}] * 2000), "its manifest's `layers` is no list, or a very long one"),
        (of(layers=[1]), "its manifest has int where a descriptor belongs"),
        (of(layers=[{"digest": "x", "size": 1}]), "`x` is no digest"),
        (of(layers=[{"digest": images.digest(b""), "size": -1}]), "its manifest has no size for sha256:"),
        (of(layers=[{"digest": images.digest(b""), "size": "1"}]), "its manifest has no size for sha256:"),
        (of(schemaVersion=1, history=[]), "has a manifest of Docker's first form"),
        (one_layer(b"not an archive"), "is neither a module nor a tar archive with plugin.wasm in it"),
    ],
)
def test_a_manifest_that_is_none_is_told(serve: Serve, manifest: bytes, words: str) -> None:
    assert words in refused(serve(with_manifest(manifest, b"not an archive")).host)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(500, body=b'{"errors": [{"message": "out of disks"}]}'), "500 from the registry (out of disks)"),
        (Reply(400, body=b'{"errors": {}}'), "400 from the registry"),
        (Reply(429), "the registry was asked too often"),
        (Reply(403), "403 from the registry: docker login"),
        (Reply(401), "401 from the registry: docker login"),
        (Reply(404, body=b"nothing here"), "no such image: 127.0.0.1:"),
        (Reply(401, {"WWW-Authenticate": 'Bearer realm="gopher://x"'}), "names no address for tokens, but `gopher://x`"),
        (Reply(401, {"WWW-Authenticate": 'Bearer realm="http://x:y/"'}), "names no address for tokens, but `http://x:y/`"),
        (Reply(401, {"WWW-Authenticate": "Bearer"}), "401 from the registry: docker login"),
        (Reply(401, {"WWW-Authenticate": "Negotiate abc"}), "401 from the registry: docker login"),
        (Reply(302, {"Location": "/v2/"}), "redirects more than 5 times"),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_image_is_told(serve: Serve, reply: Reply, words: str) -> None:
    assert words in refused(serve(lambda asked: reply).host)


@pytest.mark.parametrize(
    "token", [b"", b"{}", b'{"token": 1}', b'{"token": "a\\r\\nX: y"}', b'{"token": ""}', b"[]"]
)
def test_a_token_that_is_none_is_told(serve: Serve, token: bytes) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/token"):
            return Reply(body=token)
        return Reply(401, {"WWW-Authenticate": f'Bearer realm="{small.url}/token",service="x"'})

    small = serve(answer)
    text = refused(small.host)
    assert "its token: is not" in text or text.endswith("has no token in it that can be told to a registry")


def test_a_token_that_is_never_enough_is_asked_for_once(serve: Serve) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/token"):
            return Reply(body=b'{"token": "x"}')
        return Reply(401, {"WWW-Authenticate": f'Bearer realm="{small.url}/token",service="x"'})

    small = serve(answer)
    assert "401 from the registry" in refused(small.host)
    assert len(small.asked) == 3


def test_tags_that_are_none_are_passed_over(serve: Serve) -> None:
    for tags in ({"tags": None}, {"tags": "x"}, {}):
        body = json.dumps(tags).encode()
        answer = serve(lambda asked, body=body: Reply(body=body) if "tags" in asked.path else Reply(404))
        assert refused(answer.host).endswith("no such tag v1 in team/auth; its tags are: none")


def test_many_tags_are_cut_short(serve: Serve) -> None:
    body = json.dumps({"tags": [f"v{number:02}" for number in range(2, 50)]}).encode()
    host = serve(lambda asked: Reply(body=body) if "tags" in asked.path else Reply(404)).host
    assert refused(host).endswith("its tags are: v02, v03, v04, v05, v06, v07, v08, v09, v10, v11, …")


# TLS.


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """A registry on this machine that speaks TLS."""
    path = Signer().write(tmp_path_factory.mktemp("tls") / "both.pem")
    with server(with_manifest(one_layer(layer()), layer()), with_tls(path)) as small:
        yield small


def test_a_registry_on_this_machine_may_speak_tls(tls: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is not trusted: self" in refused(tls.host)
    monkeypatch.setenv("SIMWASM_INSECURE_REGISTRIES", tls.host)
    assert fetch(f"{tls.host}/team/auth").wasm == WASM


def test_a_registry_that_is_trusted_may_speak_without(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMWASM_INSECURE_REGISTRIES", "*")
    small = serve(with_manifest(one_layer(layer()), layer()))
    assert fetch(f"{small.host}/team/auth").wasm == WASM


def test_other_registries_have_to_speak_tls() -> None:
    with pytest.raises(InputError, match=r"^oci://registry\.invalid/x:v1: https://registry\.invalid/v2/x/"):
        fetch("registry.invalid/x:v1")


def test_an_image_for_nobody_is_told(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    with pytest.raises(InputError, match="has 0 images, and it is not clear which is meant \\(none\\)"):
        fetch(f"file://{layout.write()}")
