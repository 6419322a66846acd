"""Names of images, with docker's defaults."""

from __future__ import annotations

import pytest

from simwasm.errors import InputError
from simwasm.modules.reference import is_loopback, reference

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("auth", "oci://docker.io/library/auth:latest"),
        ("team/auth:v1", "oci://docker.io/team/auth:v1"),
        ("docker.io/auth", "oci://docker.io/library/auth:latest"),
        ("index.docker.io/team/auth", "oci://docker.io/team/auth:latest"),
        ("registry.example/auth", "oci://registry.example/auth:latest"),
        ("Registry.Example/auth", "oci://registry.example/auth:latest"),
        ("localhost/auth", "oci://localhost/auth:latest"),
        ("registry:5000/auth", "oci://registry:5000/auth:latest"),
        ("[::1]:5000/a/b/c:V_1.0-x", "oci://[::1]:5000/a/b/c:V_1.0-x"),
        (f"ghcr.io/team/auth@{DIGEST}", f"oci://ghcr.io/team/auth@{DIGEST}"),
        (f"ghcr.io/team/auth:v1@{DIGEST}", f"oci://ghcr.io/team/auth:v1@{DIGEST}"),
        ("a/b__c.d-e--f", "oci://docker.io/a/b__c.d-e--f:latest"),
    ],
)
def test_a_name_has_dockers_defaults(text: str, name: str) -> None:
    assert str(reference(text)) == str(reference(f"oci://{text}")) == str(reference(name)) == name


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "`library/` is no name of a repository"),
        ("ghcr.io/", "`` is no name of a repository"),
        ("ghcr.io/Team/auth", "`Team/auth` is no name of a repository, which has lower case letters"),
        ("ghcr.io/../etc", "`../etc` is no name of a repository"),
        ("ghcr.io/a b", "`a b` is no name"),
        ("ghcr.io/a?b", "`a?b` is no name"),
        ("me:s3@ghcr.io/a", "`ghcr.io/a` is no digest"),
        ("ghcr.io:port/a", "`ghcr.io:port` is no host"),
        ("ghcr.io/auth:", "`` is no tag"),
        ("ghcr.io/auth:v/1", "`v/1` is no tag"),
        ("ghcr.io/auth@sha256:12", "`sha256:12` is no digest: it is sha256: and 64 hexadecimal digits"),
        ("ghcr.io/a\r\nb", "is no name of a repository"),
    ],
)
def test_what_is_no_name_is_told(text: str, why: str) -> None:
    with pytest.raises(InputError) as error:
        reference(text)
    assert why in str(error.value)


def test_only_latest_without_a_digest_moves() -> None:
    assert [reference(text).moves for text in ("a", "a:latest", "a:v1", f"a@{DIGEST}", f"a:latest@{DIGEST}")] == [
        True, True, False, False, False
    ]  # fmt: skip


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "127.0.0.1", "127.9.9.9:1", "[::1]:5000", "[::1]"]
)
def test_this_machine_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["localhost.example", "127.0.0.1.example", "10.0.0.1:5000", "[::2]:1", "example", ""]
)
def test_others_are_not_this_machine(host: str) -> None:
    assert not is_loopback(host)
