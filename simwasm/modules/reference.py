"""Names of images, as docker and Istio read them.

reference("team/auth")                              docker.io/team/auth:latest
reference("localhost:5000/auth:v1@sha256:…")        the digest decides, the tag only tells
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import NamedTuple

from simwasm.errors import InputError

HUB = "docker.io"
_HUBS = (HUB, "index.docker.io", "registry-1.docker.io")
_HUBS_OWN = "library"
_LATEST = "latest"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(f"{_PART}(?:/{_PART})*")
_HOST = re.compile(r"(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_LONGEST = 1000


class Reference(NamedTuple):
    """An image at a registry."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def wanted(self) -> str:
        """What the registry is asked for."""
        return self.digest or self.tag

    @property
    def moves(self) -> bool:
        """Whether its name means another image from time to time."""
        return not self.digest and self.tag == _LATEST

    def __str__(self) -> str:
        digest = f"@{self.digest}" if self.digest else ""
        return f"oci://{self.host}/{self.repository}{f':{self.tag}' if self.tag else ''}{digest}"


def reference(text: str) -> Reference:
    """Read a name, with the defaults that docker has."""
    plain = text.removeprefix("oci://")
    name, at, digest = plain[:_LONGEST].partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise _wrong(text, f"`{digest}` is no digest: it is sha256: and 64 hexadecimal digits")
    first, slash, rest = name.partition("/")
    if not slash or not (
        first == "localhost" or any(each in first for each in ".:[") or first != first.lower()
    ):
        first, rest = HUB, name
    path, colon, tag = rest.partition(":")
    if not _HOST.fullmatch(first):
        raise _wrong(text, f"`{first}` is no host")
    if colon and not _TAG.fullmatch(tag):
        raise _wrong(text, f"`{tag}` is no tag")
    host = HUB if first in _HUBS else first.lower()
    if host == HUB and "/" not in path:
        path = f"{_HUBS_OWN}/{path}"
    if not _REPOSITORY.fullmatch(path):
        raise _wrong(
            text, f"`{path}` is no name of a repository, which has lower case letters, digits and . _ - /"
        )
    return Reference(host, path, tag or ("" if digest else _LATEST), digest)


def _wrong(text: str, why: str) -> InputError:
    return InputError(f"{text[:200]}: is no image: {why} (oci://HOST/REPOSITORY:TAG)")


def is_loopback(host: str) -> bool:
    """Whether a host, perhaps with its port, is this machine."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
