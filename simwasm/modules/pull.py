"""A module in an image at a registry, asked for as often as the policy wants.

Rules, Istio's: `Always` asks the registry each time what a tag means, `IfNotPresent` only the first time; without a
policy the tag `latest` is asked for always; `sha256` is the digest of the image's manifest, and with the right one
nobody is asked. An image that is here already is not downloaded again. Where nobody can be asked, last time's is taken,
and that is told.
"""

from __future__ import annotations

from collections.abc import Iterator

from simwasm.errors import InputError
from simwasm.modules.fetched import Fetched, Told, module
from simwasm.modules.image import module_of
from simwasm.modules.kept import Kept
from simwasm.modules.manifest import choose
from simwasm.modules.reference import Reference, reference
from simwasm.modules.registry import Registry
from simwasm.modules.web import Unreachable

ALWAYS, IF_NOT_PRESENT = "Always", "IfNotPresent"
_SHA256 = "sha256:"


def pull(name: str, sha256: str, policy: str, told: Told) -> Fetched:
    """The module in an image; with a digest it has to be that image."""
    wanted = reference(name)
    kept = Kept("image")
    for digest in _enough(wanted, sha256, policy, kept):
        wasm = kept.module(digest)
        if wasm is not None:
            if not sha256 and not wanted.digest:
                told(
                    f"{wanted}: as it was pulled before, sha256 {digest}; imagePullPolicy: Always asks again"
                )
            return _fetched(wasm, wanted, digest)
    try:
        return _asked(wanted, sha256, kept, told)
    except Unreachable as error:
        before = kept.digest(str(wanted))
        wasm = kept.module(before) if sha256 in ("", before) else None
        if wasm is None:
            raise
        told(f"{error}; it is taken as it was pulled before, sha256 {before}")
        return _fetched(wasm, wanted, before)


def _enough(wanted: Reference, sha256: str, policy: str, kept: Kept) -> Iterator[str]:
    """The digests of which one is as good as an answer of the registry."""
    named = wanted.digest.removeprefix(_SHA256)
    if sha256:
        yield sha256 if named in ("", sha256) else ""
        return
    always = policy == ALWAYS or (policy != IF_NOT_PRESENT and wanted.moves)
    yield named
    if wanted.digest or not always:
        yield kept.digest(str(wanted))  # of an index it is the image that was taken


def _asked(wanted: Reference, sha256: str, kept: Kept, told: Told) -> Fetched:
    """What the registry has."""
    registry = Registry(wanted, told)
    data, top = registry.top()
    image = choose(registry, data, top, told)
    digest = image.digest.removeprefix(_SHA256)
    if sha256 not in ("", digest):
        raise InputError(
            f"{wanted}: the image is {digest}, and the configuration wants sha256 {sha256}{_hint(sha256, top.digest)}"
        )
    wasm = kept.module(digest)
    if wasm is None:
        wasm = module(module_of(registry, image, told), str(wanted))
        if not sha256 and not wanted.digest:
            told(f"{wanted}: {len(wasm):,} bytes; to have just these again: {wanted}@{image.digest}")
    kept.keep(digest, wasm, str(wanted))
    return _fetched(wasm, wanted, digest)


def _hint(sha256: str, top: str) -> str:
    return (
        ", which is that of all its platforms; Istio compares the one it takes"
        if top == _SHA256 + sha256
        else ""
    )


def _fetched(wasm: bytes, wanted: Reference, digest: str) -> Fetched:
    origin = str(wanted._replace(digest=wanted.digest or _SHA256 + digest))
    return Fetched(wasm, origin, digest, wanted.repository.rpartition("/")[2])
