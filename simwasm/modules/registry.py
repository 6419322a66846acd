"""Images at a registry, by version 2 of its API.

Rules: one asks as anybody first, and tells who one is when that is asked for; a token is asked for where the registry
says, by https unless the registry itself is spoken to without; a registry on this machine may speak without TLS.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from simwasm.errors import InputError
from simwasm.modules.credentials import Login, login
from simwasm.modules.fetched import Told
from simwasm.modules.manifest import (
    INDEXES,
    LARGEST_MANIFEST,
    MANIFESTS,
    Descriptor,
    checked,
    read_json,
)
from simwasm.modules.reference import HUB, Reference, is_loopback
from simwasm.modules.web import LONG, SHORT, Answer, Patience, Unreachable, Wanted, ask, insecure, is_address

_HUBS_HOST = "registry-1.docker.io"
_ACCEPT = ", ".join((*MANIFESTS, *INDEXES))
_LARGEST_ANSWER = 1 << 20
_CHALLENGE = re.compile(r"\s*(Bearer|Basic)\s+(.*)", re.IGNORECASE | re.DOTALL)
_PARAMETER = re.compile(r'(\w+)\s*=\s*"([^"]*)"')
_TOKEN = re.compile(r"[\x21-\x7e]{1,65536}")
_SHOWN_TAGS = 10


class Challenge(NamedTuple):
    """How a registry wants to be told who asks."""

    scheme: str
    parameters: dict[str, str]


class Registry:
    """One repository of a registry."""

    def __init__(self, wanted: Reference, told: Told) -> None:
        self.where = str(wanted)
        self._wanted = wanted
        self._told = told
        self._host = _HUBS_HOST if wanted.host == HUB else wanted.host
        self._scheme = ""
        self._secret = ""
        self._login: Login | None = None

    def top(self) -> tuple[bytes, Descriptor]:
        """What the name means: a manifest or an index."""
        answer = self._get(f"manifests/{self._wanted.wanted}", LARGEST_MANIFEST, SHORT)
        if answer.status == 404:
            raise InputError(f"{self.where}: {self._missing()}")
        self._expect(answer)
        digest = self._wanted.digest or f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        descriptor = Descriptor(digest, -1, answer.headers.get_content_type())
        return checked(answer.body, descriptor, self.where), descriptor

    def manifest(self, descriptor: Descriptor) -> bytes:
        return self._expect(self._get(f"manifests/{descriptor.digest}", LARGEST_MANIFEST, SHORT))

    def blob(self, descriptor: Descriptor, most: int) -> bytes:
        return self._expect(self._get(f"blobs/{descriptor.digest}", min(most, descriptor.size), LONG))

    def _get(self, path: str, most: int, patience: Patience) -> Answer:
        """An answer, after having told who we are if that is asked for."""
        answer = self._ask(path, most, patience)
        if answer.status == 401 and not self._secret:
            challenge = _challenge(answer.headers.get_all("WWW-Authenticate") or [])
            self._secret = self._answer_to(challenge) if challenge else ""
            if self._secret:
                return self._ask(path, most, patience)
        return answer

    def _ask(self, path: str, most: int, patience: Patience) -> Answer:
        schemes = (self._scheme,) if self._scheme else _schemes(self._host)
        failed: Unreachable | None = None
        not_understood: Answer | None = None
        for scheme in schemes:
            url = f"{scheme}://{self._host}/v2/{self._wanted.repository}/{path}"
            headers = {"Accept": _ACCEPT} if path.startswith("manifests") else {}
            try:
                answer = ask(Wanted(url, most, headers, self._secret, None, patience, self._told))
            except Unreachable as error:
                failed = failed or error
                continue
            if answer.status == 400 and scheme == "http" and scheme != schemes[-1]:
                not_understood = answer  # as a server says that speaks TLS
                continue
            self._scheme = scheme
            return answer
        if not_understood is not None:
            return not_understood
        raise Unreachable(f"{self.where}: {failed or 'speaks neither http nor https'}")

    def _answer_to(self, challenge: Challenge) -> str:
        """What to say when a registry asks who we are; nothing if there is nothing to say."""
        self._login = known = login(self._wanted.host)
        if known.bearer:
            return _bearer(known.bearer, known.source)
        return known.basic if challenge.scheme == "basic" else self._token(challenge.parameters, known)

    def _token(self, parameters: dict[str, str], known: Login) -> str:
        realm = parameters.get("realm", "")
        if not is_address(realm):
            raise InputError(f"{self.where}: the registry names no address for tokens, but `{realm[:100]}`")
        if urlsplit(realm).scheme == "http" and self._scheme != "http":
            raise InputError(
                f"{self.where}: the registry wants a token asked for without TLS, at {realm[:200]}"
            )
        scope = parameters.get("scope") or f"repository:{self._wanted.repository}:pull"
        answer = ask(_for_token(realm, {"service": parameters.get("service", ""), "scope": scope}, known))
        if answer.status != 200:
            raise InputError(f"{self.where}: {self._refused(answer.status)}")
        content = read_json(answer.body, f"{realm}: its token")
        token = content.get("token") or content.get("access_token")
        return _bearer(token, realm)

    def _expect(self, answer: Answer) -> bytes:
        if answer.status == 200:
            return answer.body
        if answer.status in (401, 403):
            raise InputError(f"{self.where}: {self._refused(answer.status)}")
        if answer.status == 429:
            raise Unreachable(
                f"{self.where}: the registry was asked too often; wait, or docker login {self._wanted.host}"
            )
        said = _said(answer)
        if answer.status >= 500:
            raise Unreachable(f"{self.where}: {answer.status} from the registry{said}; try again")
        raise InputError(f"{self.where}: {answer.status} from the registry{said}")

    def _refused(self, status: int) -> str:
        """Who was not let in, and what to do."""
        if self._login is not None and self._login.source:
            return (
                f"{status} from the registry: it does not accept what {self._login.source} tells; docker login "
                f"{self._wanted.host}"
            )
        return f"{status} from the registry: docker login {self._wanted.host}, if that image is there"

    def _missing(self) -> str:
        """What is there in place of what was asked for."""
        repository = self._wanted.repository
        answer = self._get(f"tags/list?n={_SHOWN_TAGS + 1}", _LARGEST_ANSWER, SHORT)
        if answer.status != 200:
            return f"no such image: {self._wanted.host} has no {repository}"
        found = read_json(answer.body, f"{self.where}: its tags").get("tags") or []
        tags = sorted(str(tag)[:128] for tag in found) if isinstance(found, list) else []
        there = ", ".join(tags[:_SHOWN_TAGS]) + (", …" if len(tags) > _SHOWN_TAGS else "")
        what = f"tag {self._wanted.tag}" if not self._wanted.digest else f"image {self._wanted.digest}"
        return f"no such {what} in {repository}; its tags are: {there or 'none'}"


def _for_token(realm: str, fields: dict[str, str], known: Login) -> Wanted:
    """What a token server is asked: posted with an identity, otherwise with a name and password or as anybody."""
    if known.identity:
        fields |= {"grant_type": "refresh_token", "refresh_token": known.identity, "client_id": "simwasm"}
        return Wanted(realm, _LARGEST_ANSWER, form=urlencode(fields, errors="replace").encode())
    joint = "&" if urlsplit(realm).query else "?"
    return Wanted(f"{realm}{joint}{urlencode(fields, errors='replace')}", _LARGEST_ANSWER, secret=known.basic)


def _bearer(token: object, source: str) -> str:
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise InputError(f"{source}: has no token in it that can be told to a registry")
    return f"Bearer {token}"


def _schemes(host: str) -> tuple[str, ...]:
    """How to speak to a registry, in the order in which that is tried."""
    if insecure(host):
        return ("https", "http")
    return ("http", "https") if is_loopback(host) else ("https",)


def _challenge(headers: Iterable[str]) -> Challenge | None:
    """How to answer; by token where there is a choice."""
    forms = [form for form in (_CHALLENGE.match(each[:8192]) for each in headers) if form]
    found = [Challenge(form[1].lower(), dict(_PARAMETER.findall(form[2]))) for form in forms]
    return next((each for each in found if each.scheme == "bearer"), found[0] if found else None)


def _said(answer: Answer) -> str:
    """The registry's own words."""
    try:
        errors = read_json(answer.body, "").get("errors")
        return f" ({str(errors[0]['message'])[:200]})" if isinstance(errors, list) else ""
    except (InputError, LookupError, TypeError):
        return ""
