"""What `docker login` has left behind: who a registry is told that we are.

Rules: docker's file is read, or podman's where there is none of docker's; a program is only run if the file names it as
docker's do, and has a few seconds; without credentials one asks as anybody. Nothing secret is ever in a message.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from simwasm.errors import InputError
from simwasm.modules.manifest import read_json
from simwasm.modules.reference import HUB

_HUBS_KEY = "https://index.docker.io/v1/"
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")
_PATIENCE_S = 15
_LARGEST = 4 << 20
_BY_TOKEN = "<token>"


class Login(NamedTuple):
    """Who we are for a registry."""

    user: str = ""
    password: str = ""
    identity: str = ""
    """A token that others are given out for."""
    bearer: str = ""
    """A token for the registry itself."""
    source: str = ""
    """The file that tells it."""

    @property
    def basic(self) -> str:
        """`Authorization` by name and password."""
        if not self.user:
            return ""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode(errors="replace")).decode()


def login(host: str) -> Login:
    """What is known for a registry; an empty one if nothing is."""
    path = next((path for path in _files() if os.path.isfile(path)), None)
    if path is None:
        return Login()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    content = read_json(data[:_LARGEST], str(path))
    key = _HUBS_KEY if host == HUB else host
    helper = _entry(content, "credHelpers", key, str) or content.get("credsStore")
    if isinstance(helper, str) and helper:
        found = _from_helper(helper, key, path)
        if found is not None:
            return found
    return _from_file(content, host, path)


def _files() -> Iterator[Path]:
    folder = os.environ.get("DOCKER_CONFIG")
    yield Path(folder or os.path.expanduser("~/.docker"), "config.json")
    if os.environ.get("REGISTRY_AUTH_FILE"):
        yield Path(os.environ["REGISTRY_AUTH_FILE"])
    if os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(os.environ["XDG_RUNTIME_DIR"], "containers", "auth.json")


def _entry(content: Mapping[str, Any], table: str, key: str, kind: type) -> Any:
    found = content.get(table)
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, kind) else None


def _from_file(content: Mapping[str, Any], host: str, path: Path) -> Login:
    """An entry of `auths`; its key is a host, or an address of it."""
    table = content.get("auths")
    entries = table if isinstance(table, dict) else {}
    wanted = (host, _HUBS_KEY, "index.docker.io") if host == HUB else (host,)
    for key, entry in entries.items():
        if isinstance(entry, dict) and (key in wanted or _host_of(key) in wanted):
            return _login(entry, path)
    return Login()


def _host_of(key: str) -> str:
    return re.sub("^https?://", "", key).partition("/")[0]


def _login(entry: Mapping[str, Any], path: Path) -> Login:
    texts = {name: value for name, value in entry.items() if isinstance(value, str)}
    user, password = texts.get("username", ""), texts.get("password", "")
    if texts.get("auth"):
        try:
            user, _, password = base64.b64decode(texts["auth"]).decode().rstrip("\0").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise InputError(f"{path}: an `auth` in it is no base64: `docker login` writes it anew") from None
    identity, bearer = texts.get("identitytoken", ""), texts.get("registrytoken", "")
    return Login(user, password, identity, bearer, str(path) if user or identity or bearer else "")


def _from_helper(name: str, key: str, path: Path) -> Login | None:
    """What docker's program for credentials knows; None if it knows nothing."""
    if not _HELPER.fullmatch(name):
        raise InputError(f"{path}: `{name[:60]}` is no name of a docker-credential program")
    program = f"docker-credential-{name}"
    try:
        ran = subprocess.run([program, "get"], input=key.encode(), capture_output=True, timeout=_PATIENCE_S)
    except FileNotFoundError:
        raise InputError(f"{path}: names {program}, which is not installed here") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        why = f"no answer in {_PATIENCE_S} s" if isinstance(error, subprocess.TimeoutExpired) else str(error)
        raise InputError(f"{program}, which {path} names: {why}") from None
    if ran.returncode:
        return None  # docker takes that for `credentials not found`, too
    try:
        found = json.loads(ran.stdout)
        user, secret = str(found["Username"]), str(found["Secret"])
    except (ValueError, LookupError, TypeError, RecursionError):
        raise InputError(f"{program}, which {path} names: its answer is not understood") from None
    source = f"{program}, named in {path}"
    return Login(identity=secret, source=source) if user == _BY_TOKEN else Login(user, secret, source=source)
