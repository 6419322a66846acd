"""`sign` and `verify_signature`: RSA (PKCS #1 v1.5) and ECDSA, with a hash of the SHA family.

Rules, as in the real host: the key is given once, as DER or as PEM; a key that is none is told in the result, not by
a status.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simwasm.abi.enums import Status
from simwasm.abi.status import Refusal
from simwasm.errors import EngineUnavailable
from simwasm.host.foreign.arguments import read
from simwasm.host.vm import Vm
from simwasm.protobuf import Field, Message, Scalar, Schema

TEXT, BYTES = Scalar.TEXT, Scalar.BYTES
_SIGN = Schema(
    "SignArguments",
    {
        "hash_function": Field(1, TEXT),
        "private_key": Field(2, BYTES),
        "text": Field(3, BYTES),
        "private_key_pem": Field(4, TEXT),
    },
)
_SIGNED = Schema(
    "SignResult", {"result": Field(1, Scalar.BOOL), "signature": Field(2, BYTES), "error": Field(3, TEXT)}
)
_VERIFY = Schema(
    "VerifySignatureArguments",
    {
        "hash_function": Field(1, TEXT),
        "public_key": Field(2, BYTES),
        "signature": Field(3, BYTES),
        "text": Field(4, BYTES),
        "public_key_pem": Field(5, TEXT),
    },
)
_VERIFIED = Schema("VerifySignatureResult", {"result": Field(1, Scalar.BOOL), "error": Field(2, TEXT)})

_HASHES = ("sha1", "sha224", "sha256", "sha384", "sha512")
_NO_KEY = "Invalid key type: private key required for signing operation."
_ODD_KEY = "Invalid private key: key data is corrupted or malformed."
_NO_VERIFIER = "Failed to initialize digest verify."
_WRONG = "Failed to verify digest. Error code: 0"
_SEQUENCE, _LONG = 0x30, 0x80


def sign(vm: Vm, arguments: bytes) -> bytes:
    given = read(_SIGN, arguments)
    der, pem = _one_key(given, "private_key")
    found = _signed(given, der, pem)
    if isinstance(found, str):
        return Message(_SIGNED, {"error": found}).encode()
    return Message(_SIGNED, {"result": True, "signature": found}).encode()


def verify_signature(vm: Vm, arguments: bytes) -> bytes:
    given = read(_VERIFY, arguments)
    der, pem = _one_key(given, "public_key")
    error = _verified(given, der, pem)
    return Message(_VERIFIED, {"error": error} if error else {"result": True}).encode()


def _one_key(given: Message, name: str) -> tuple[bytes, bytes]:
    der, pem = given.get(name), given.get(f"{name}_pem").encode()
    if bool(der) == bool(pem):
        which = "both are given" if der else "neither is given"
        raise Refusal(Status.BAD_ARGUMENT, f"`{name}` or `{name}_pem` is the key: {which}")
    return der, pem


def _signed(given: Message, der: bytes, pem: bytes) -> bytes | str:
    """The signature, or what Envoy says instead."""
    hashes, serialization, rsa, ec, padding = _library()
    name = given.get("hash_function")
    if name.lower() not in _HASHES:
        return f"{name} is not supported."
    key = _key(
        serialization.load_pem_private_key, serialization.load_der_private_key, der, pem, password=None
    )
    if key is None or (der and not _is_pkcs8(der)):
        return _NO_KEY
    digest = getattr(hashes, name.upper())()
    if isinstance(key, rsa.RSAPrivateKey):
        return bytes(key.sign(given.get("text"), padding.PKCS1v15(), digest))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return bytes(key.sign(given.get("text"), ec.ECDSA(digest)))
    return _ODD_KEY


def _verified(given: Message, der: bytes, pem: bytes) -> str:
    """Nothing if the signature is right, or else what Envoy says."""
    from cryptography.exceptions import InvalidSignature

    hashes, serialization, rsa, ec, padding = _library()
    name = given.get("hash_function")
    if name.lower() not in _HASHES:
        return f"{name} is not supported."
    key = _key(serialization.load_pem_public_key, serialization.load_der_public_key, der, pem)
    digest, signature, text = getattr(hashes, name.upper())(), given.get("signature"), given.get("text")
    old = b"RSA PUBLIC" in pem or (der and not _inside(der).startswith(b"\x30"))
    if old or not isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        return _NO_VERIFIER
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, text, padding.PKCS1v15(), digest)
        else:
            key.verify(signature, text, ec.ECDSA(digest))
    except InvalidSignature:
        return _WRONG
    return ""


def _key(
    from_pem: Callable[..., Any], from_der: Callable[..., Any], der: bytes, pem: bytes, **options: Any
) -> Any:
    """A key; None for what is no key, or one of a kind that nobody knows."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return from_pem(pem, **options) if pem else from_der(_first_element(der), **options)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _first_element(der: bytes) -> bytes:
    """The first ASN.1 element; the real host does not look at what is behind it."""
    if len(der) < 2 or der[0] != _SEQUENCE:
        return der
    size, head = der[1], 2
    if size & _LONG:
        head += size & ~_LONG
        size = int.from_bytes(der[2:head], "big")
    return der[: head + size]


def _is_pkcs8(der: bytes) -> bool:
    """Whether the key says of what kind it is, as PKCS #8 does: a version, then a sequence."""
    inside = _inside(der)
    return inside[:3] in (b"\x02\x01\x00", b"\x02\x01\x01") and inside[3:4] == b"\x30"


def _inside(der: bytes) -> bytes:
    """What is in the first ASN.1 element."""
    return der[2 + (der[1] & ~_LONG if der[1] & _LONG else 0) :] if len(der) > 1 else b""


def _library() -> Any:
    try:
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    except ImportError:
        raise EngineUnavailable(
            "the plugin calls a foreign function of signatures: `pip install 'simwasm[foreign]'`"
        ) from None
    return hashes, serialization, rsa, ec, padding
