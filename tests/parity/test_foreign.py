"""Foreign functions give what they give in the running Envoy: results, statuses, what is left in filter state."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from switchboard import (
    CALL_RESPONSE,
    CONFIGURE,
    LOG,
    OUT,
    REQUEST_BODY,
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    STREAM,
    Call,
    Case,
    Out,
    Read,
    pairs,
    switchboard,
)

from simwasm.engines import find
from simwasm.exchange import Message, request, response
from simwasm.host.foreign.state import OBJECTS
from simwasm.host.ports import Answer
from simwasm.parity.account import Scenario
from simwasm.parity.compare import Difference, verify
from simwasm.plugin import Plugin

ASK: Call = ("proxy_http_call", "auth", pairs((":method", "GET"), (":path", "/c"), (":authority", "a")), b"", b"",
             500, OUT)  # fmt: skip
BECOME: Call = ("proxy_set_effective_context", STREAM)
RESUME: Call = ("proxy_continue_stream", 0)
PAUSED = {REQUEST_HEADERS: 1}
EVALUATE: Call = ("proxy_call_foreign_function", "expr_evaluate", Read(2), 4, OUT, OUT)
"""Of the token that was made last."""
SAY_IT: Call = ("proxy_log", 2, Read(3), Read(4))


def call(name: str, arguments: str | bytes = b"", *, say: bool = True) -> list[Call]:
    """Call a foreign function and log what it gives."""
    said: list[Call] = [("proxy_log", 2, Read(2), Read(3))] if say else []
    return [("proxy_call_foreign_function", name, arguments, OUT, OUT), *said]


def token(number: int) -> bytes:
    return number.to_bytes(4, "little")


def text(number: int, value: str | bytes) -> bytes:
    """A field of a protobuf message that is text or bytes."""
    data = value.encode() if isinstance(value, str) else value
    size, head = len(data), bytearray()
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    return bytes((number << 3 | 2, *head, size)) + data


def number(field: int, value: int) -> bytes:
    return bytes((field << 3, value)) if value else b""


def declare(name: str, *, readonly: bool = False, kind: int = 0, schema: str = "") -> list[Call]:
    told = text(1, name) + number(2, readonly) + number(3, kind) + (text(4, schema) if schema else b"")
    return call("declare_property", told, say=False)


def make(path: str, value: str, span: int = 0) -> list[Call]:
    return call("set_envoy_filter_state", text(1, path) + text(2, value) + number(3, span), say=False)


def put(path: str, value: str | bytes) -> Call:
    return "proxy_set_property", path, value


def get(*path: str) -> list[Call]:
    asked: Call = ("proxy_get_property", "\0".join(path), Out(5), Out(6))
    return [asked, ("proxy_log", 2, Read(5), Read(6))]


def evaluated(*expressions: str) -> list[Call]:
    return [
        step for each in expressions for step in (*call("expr_create", each, say=False), EVALUATE, SAY_IT)
    ]


def flat(calls: Iterable[list[Call]]) -> list[Call]:
    return [one for some in calls for one in some]


KEY, CURVE, EDWARDS = (
    rsa.generate_private_key(65537, 2048),
    ec.generate_private_key(ec.SECP256R1()),
    ed25519.Ed25519PrivateKey.generate(),
)
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def private(key: Key, encoding: Encoding = Encoding.DER, form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    return key.private_bytes(encoding, form, NoEncryption())


def public(
    key: Key, encoding: Encoding = Encoding.DER, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo
) -> bytes:
    return key.public_key().public_bytes(encoding, form)


def sign(name: str = "sha256", key: bytes = b"", pem: bytes = b"") -> list[Call]:
    given = (
        text(1, name) + (text(2, key) if key else b"") + text(3, b"hello") + (text(4, pem) if pem else b"")
    )
    return call("sign", given)


def check(name: str = "sha256", key: bytes = b"", signature: bytes = b"", pem: bytes = b"") -> list[Call]:
    given = text(1, name) + (text(2, key) if key else b"") + text(3, signature) + text(4, b"hello")
    return call("verify_signature", given + (text(5, pem) if pem else b""))


SIGNED = KEY.sign(b"hello", padding.PKCS1v15(), hashes.SHA256())
ON_CURVE = CURVE.sign(b"hello", ec.ECDSA(hashes.SHA256()))
PEM, OLD = Encoding.PEM, PrivateFormat.TraditionalOpenSSL

SIGNATURES = (
    Case("signs", {REQUEST_HEADERS: flat((
        sign(key=private(KEY)), sign("SHA1", private(KEY)), sign("sha512", pem=private(KEY, PEM)),
        sign("sha224", pem=private(KEY, PEM, OLD)), sign("sha384", private(KEY)),
        call("sign", text(1, "sha256") + text(2, private(KEY)) + text(3, b"hello") + text(9, "unknown field")),
    ))}, items=(190,)),
    Case("does not sign", {REQUEST_HEADERS: flat((
        sign("sha256", private(KEY, form=OLD)), sign("md5", private(KEY)), sign("", private(KEY)),
        sign(key=private(EDWARDS)), sign(key=private(KEY), pem=private(KEY, PEM)), sign(), sign(key=b"junk"),
        sign(pem=b"junk"), sign(key=public(KEY)), call("sign", b"\x0a\xff", say=False),
        call("sign", text(1, b"\xff\xfe") + text(2, private(KEY)), say=False), call("sign", b"", say=False),
    ))}, items=(190,)),
    Case("verifies", {REQUEST_HEADERS: flat((
        check(key=public(KEY), signature=SIGNED), check(pem=public(KEY, PEM), signature=SIGNED),
        check(key=public(CURVE), signature=ON_CURVE), check(key=public(KEY) + b"behind", signature=SIGNED),
    ))}, items=(190,)),
    Case("does not verify", {REQUEST_HEADERS: flat((
        check(key=public(KEY), signature=SIGNED[:-1] + b"x"), check(key=public(KEY), signature=b"abc"),
        check(key=public(KEY)), check("sha1", public(KEY), SIGNED), check("md5", public(KEY), SIGNED),
        check(key=public(EDWARDS), signature=EDWARDS.sign(b"hello")), check(key=b"junk", signature=SIGNED),
        check(pem=b"junk", signature=SIGNED), check(key=public(KEY, form=PublicFormat.PKCS1), signature=SIGNED),
        check(pem=public(KEY, PEM, PublicFormat.PKCS1), signature=SIGNED), check(signature=SIGNED),
        check(key=public(KEY), pem=public(KEY, PEM), signature=SIGNED),
        call("verify_signature", b"\x0a\xff", say=False),
    ))}, items=(190,)),
)  # fmt: skip
ZIPPED = zlib.compress(b"hello")
ZIP = (
    Case("zlib", {REQUEST_HEADERS: flat((
        call("compress", "hello hello hello hello"), call("compress"), call("uncompress", ZIPPED),
        call("uncompress", ZIPPED + b"behind"),
        call("uncompress", zlib.compress(b"")), call("uncompress", zlib.compress(bytes(100_000)), say=False),
        call("uncompress", b"", say=False), call("uncompress", b"junk", say=False),
        call("uncompress", ZIPPED[:-3], say=False), call("uncompress", ZIPPED[:-1] + b"x", say=False),
    ))}, items=(186,)),
    Case("unknown functions", {REQUEST_HEADERS: flat(
        call(name, b"x", say=False) for name in ("nope", "", "Compress", "resolve_dns", "compress\0")
    )}, items=(191,)),
)  # fmt: skip
WORDS = r"""1 + 1
1 + 1u
1u + 1u
1.5 + 2.5
'a' + 'b'
b'a' + b'b'
[1, 2] + [3]
[1, 'a', true]
[]
{}
{'a': 1}
{1: 2}
[[1]]
{'a': {'b': 'c'}}
true
null
[null]
1 / 0
5 % 0
9223372036854775807 + 1
-9223372036854775808 - 1
1 == 1.0
1 == 'a'
1 != 'a'
1 < 2.5
'a' < 'b'
'a' < 1
!true
!1
-5
size('abc')
size({'a':1})
'abc'.contains('b')
'abc'.startsWith('a') && 'abc'.endsWith('c')
'abc'.matches('a.c')
'abc'.matches('(')
int('5')
int('x')
uint(-1)
double('1.5')
string(1)
string(1.5)
string(true)
string(b'a')
bytes('a')
type(1)
type(1) == int
duration('1.5s')
duration('x')
timestamp('2020-01-01T00:00:00Z') + duration('1s')
timestamp('2020-01-01T00:00:00Z').getFullYear()
1 in [1, 2]
'a' in {'a': 1}
[1,2,3].exists(x, x > 2)
[1,2,3].all(x, x > 0)
[1,2,3].map(x, x * 2)
[1,2,3].filter(x, x > 1)
[1,2,3].exists_one(x, x == 1)
true ? 1 : 2
[1,2][5]
{'a':1}['b']
{'a':1}.b
has({'a':1}.b)
nope(1)
'a'.nope()
1 + 'a'
1 +
a b
''

(
Foo{a: 1}
optional.of(1)
'abc'.lowerAscii()
9223372036854775808
18446744073709551615u
-9223372036854775808
1.0 / 0.0
int(-1.9)
int(1e30)
'a' == b'a'
[1] == [1.0]
{'a':1} == {'a':1}
-3 % 2
-3 / 2
0x10
r'\n'
1 // comment
'é'
size()
size(1, 2)
contains('a', 'b')
startsWith('a','b')
'5'.int()
int()
type(1,2)
dyn()
has()
has(1)
has(a)
has({'a':1}['a'])
'a'.matches()
'a'.matches('a', 'b')
matches('a')
getFullYear(timestamp('2020-01-01T00:00:00Z'))
timestamp('2020-01-01T00:00:00Z').getFullYear('UTC')
timestamp('2020-01-01T00:00:00Z').getFullYear('UTC', 'x')
timestamp('2020-01-01T00:00:00Z').getDate()
'a'.type()
[1].map(x)
[1].map(1, x)
[1].all(x)
[1].reduce(a, b, 0, a)
list([1])
map({})
null_type(null)
'a'.size(1)
[1].contains(1)
bool(1)
bool('true')
-'a'
1 ? 2 : 3
true ? 1 : nope
1 && true
'a' && false
size(1)
size(null)
string(null)
string([1])
[1, 2] == [1, 2.0]
{'a': 1} == {'a': 1.0}
null == 1
null == null
1 in {'a': 1}
1.0 in [1]
'a' in 'abc'
[3] + ['a']
timestamp(0)
duration(1)
int(timestamp('2020-01-01T00:00:00Z'))
string(timestamp('2020-01-01T00:00:00Z'))
string(duration('90s'))
double('x')
uint('5')
int(5u)
5u - 6u
-(5u)
bytes('é')
string(b'\xff')
size('é')
'abc'[0]
b'a' < b'b'
[1] < [2]
true < false
duration('1s') < duration('2s')
timestamp('2020-01-01T00:00:00Z') - timestamp('2019-01-01T00:00:00Z')
duration('1s') + duration('2s')
duration('1h1m1.5s')
duration('-1s')
duration('100ms').getMilliseconds()
request.size()
size(request)
size(xds.node)
request == request
xds.node == xds.node
metadata == metadata
xds.node.metadata == {}
filter_state == 1
type(request)
type(xds.node)
request.headers == {}
has(xds.node.user_agent_name)
[request.path, request.method]
{'a': request.path}
request.time.getFullYear() > 2000
string(request.size)
x
_
1u
.5
0x
'unclosed
"double"
r"a\b"
'\u00e9'
'\x41'
b'\xff'
a.b.c
.request.path
request.path.size()
true == 1
1 == true
int(true)
'a' * 2
2 * 'a'
1 - 2.0
10 / 3
10 % 3
-7 / 2
7.0 / 2.0
7.0 % 2.0
1e400
size([[1], [2]])
[1, 2, 3][1]
[1, 2, 3][-1]
[1][0.0]
{1: 'a'}[1]
{1: 'a'}[1.0]
{1: 'a'}[1u]
{'a': 1, 'a': 2}
{1: 2, 1.0: 3}
[1, 2].exists(x, x / 0 > 1)
[1, 2].exists(x, x == 1 || x / 0 > 1)
[].all(x, nope)
{'a': 1}.exists(k, k == 'a')
{'a': 1}.map(k, k)
[1,2].map(x, [x])
[1,2].filter(x, nope)""".split("\n")
PATHS = """request
request.path
request['path']
request.method == 'GET'
request.path + '?' + request.method
request.headers['x-a']
request.headers['X-A']
request.headers['nope']
request.headers.nope
'x-a' in request.headers
'nope' in request.headers
request.headers.exists(k, k == 'x-a')
has(request.headers.nope)
has(request.nope)
has(nope.a)
request.size + 1
request.time > timestamp('2020-01-01T00:00:00Z')
request.time - request.time == duration('0s')
has(request.duration)
request.nope
request.useragent
request.query
request.id == request.headers['x-request-id']
request.total_size == request.headers_bytes
response.code
response.code == 200
response.code == 200 || true
response.flags
connection.mtls
connection.mtls ? 'a' : 'b'
source.port > 0
source.address.startsWith('127.0.0.1:')
upstream.port > 0
xds.node.id
xds.node.user_agent_name
xds.node.metadata
xds.node.user_agent_build_version.version.minor_number
xds.node.user_agent_build_version.metadata['build.type']
xds.node.nope
xds.route_name
xds.listener_direction == 0
metadata
metadata.filter_metadata
metadata.filter_metadata['x']
filter_state
filter_state['nope']
filter_state['wasm.my']
my
my == b'val'
string(my)
plugin_name
plugin_root_id + plugin_vm_id
nope
nope.a
true && nope
false && nope
true || nope
cluster_name""".split("\n")
STRUCT, LOCALITY = (
    "type.googleapis.com/google.protobuf.Struct",
    "type.googleapis.com/envoy.config.core.v3.Locality",
)
A_STRUCT, A_LOCALITY = text(1, text(1, "k") + text(2, text(3, "v"))), text(1, "reg")


def expressions() -> Iterator[Case]:
    """Many expressions, some in a case."""
    for start in range(0, len(WORDS), 30):
        yield Case(
            f"CEL from {start + 1}", {REQUEST_HEADERS: evaluated(*WORDS[start : start + 30])}, items=(187,)
        )
    for callback in (REQUEST_HEADERS, RESPONSE_HEADERS, LOG):
        asked = [put("my", "val"), *evaluated(*PATHS)]
        yield Case(f"CEL over properties in {callback}", {callback: asked}, items=(187,))


CEL = (
    *expressions(),
    Case("tokens", {REQUEST_HEADERS: flat((
        call("expr_evaluate", b"\0\0\0\0\0", say=False), call("expr_evaluate", b"", say=False),
        call("expr_evaluate", token(99_999), say=False), call("expr_delete", token(99_999), say=False),
        call("expr_delete", b"\x09", say=False), call("expr_create", "1"), [EVALUATE, SAY_IT],
        [("proxy_call_foreign_function", "expr_delete", Read(2), 4, 0, 0), EVALUATE],
        call("expr_create", "nope(1)", say=False), call("expr_create", "1 +", say=False), call("expr_create", "2"),
    ))}, items=(187,)),
    Case("CEL in a callout's answer", {
        REQUEST_HEADERS: [ASK],
        CALL_RESPONSE: [
            *evaluated("request.path", "plugin_name", "xds.node.user_agent_name", "xds.route_name"), BECOME,
            *evaluated("request.path", "plugin_name"), RESUME,
        ],
    }, PAUSED, items=(165, 187)),
)  # fmt: skip
STATE = (
    Case("declares while it is configured", {CONFIGURE: flat((
        declare("once", readonly=True), declare("once"), declare("word", kind=1),
        declare("struct", kind=3, schema=STRUCT), declare("place", kind=3, schema=LOCALITY),
        declare("odd", kind=3, schema="junk"),
        declare("nine", kind=9),
        declare(""), declare(""), call("declare_property", b"\x0a\xff", say=False),
        make("envoy.string", "v"), call("clear_route_cache", say=False), evaluated("plugin_name", "request.path"),
    ))}, items=(165, 188)),
    Case("what was declared", {REQUEST_HEADERS: flat((
        [put("once", "1"), put("once", "2")], get("once"), [put("word", "x")], get("word"), [put("struct", A_STRUCT)],
        get("struct"), get("struct", "k"), get("struct", "fields"), get("filter_state", "wasm.struct"),
        get("filter_state", "wasm.struct", "k"), [put("place", A_LOCALITY)], get("place"), get("place", "region"),
        get("place", "zone"), get("place", "nope"), get("filter_state", "wasm.place", "region"), [put("odd", "junk")],
        get("odd"), get("odd", "a"), get("filter_state", "wasm.odd"), [put("nine", "9")], get("nine"), [put("", "e")],
        evaluated("word", "type(word) == string", "struct.k", "place.region", "struct", "once", "odd"),
    )), LOG: [put("once", "3"), *get("once")]}, items=(131, 188)),
    Case("declares in a stream", {REQUEST_HEADERS: flat((
        declare("here", readonly=True), declare("here"), declare("once"), [put("here", "1"), put("here", "2")],
        get("here"), call("declare_property", b"", say=False), call("declare_property", b"", say=False),
    ))}, items=(188,)),
    *(Case(f"filter state from {value!r}", {REQUEST_HEADERS: flat((
        *([*make(path, value), *get("filter_state", path)] for path in OBJECTS), make("nope", value),
    ))}, items=(189,))
      for value in ("", "v", "5", "-5", " 6", "TRUE", "yes", "0", "1.2.3.4", "1.2.3.4:80", "[::1]:80", "1.2.3.4:99999",
                    "::1", "a,b", "70000", "4294967295")),
    Case("objects and what they have", {REQUEST_HEADERS: flat((
        make("envoy.network.transport_socket.original_dst_address", "1.2.3.4:80"),
        *(get("filter_state", "envoy.network.transport_socket.original_dst_address", name)
          for name in ("ip", "port", "nope")),
        make("envoy.string", "a"), make("envoy.string", "b", span=1), get("filter_state", "envoy.string"),
        get("envoy.string"), call("set_envoy_filter_state", b"\x0a\xff", say=False),
        call("set_envoy_filter_state", b"", say=False),
    )), LOG: flat((get("filter_state", "envoy.string"), make("envoy.string", "late"),
                   get("filter_state", "envoy.string")))},
        items=(189,)),
    Case("in a callout's answer", {
        REQUEST_HEADERS: [ASK],
        CALL_RESPONSE: flat((
            make("envoy.string", "v"), declare("from the answer", readonly=True), declare("from the answer"),
            call("clear_route_cache", say=False), [BECOME], make("envoy.string", "v"),
            get("filter_state", "envoy.string"), declare("from the answer"), call("clear_route_cache", say=False),
            [put("from the answer", "1"), put("from the answer", "2"), RESUME],
        )),
    }, PAUSED, items=(131, 165, 188, 189)),
    Case("clears the route cache", {
        REQUEST_HEADERS: [("proxy_replace_header_map_value", 0, ":path", "/other"),
                          *call("clear_route_cache", "whatever"), *get("xds", "route_name")],
        REQUEST_BODY: call("clear_route_cache", say=False),
        LOG: call("clear_route_cache", say=False),
    }, {}, request("POST", "/", body=b"abc"), items=(190,)),
)  # fmt: skip
CASES = (*STATE, *ZIP, *CEL, *SIGNATURES)
"""The first one that configures is played at the start."""


def fine(asked: Message) -> Answer:
    return response(200, body=b"fine")


@lru_cache
def differences() -> tuple[Difference, ...]:
    plugin = Plugin("parity.switchboard", switchboard(CASES), config=b"{}", root_id="root", vm_id="vm")
    exchanges = tuple(case.exchange(number) for number, case in enumerate(CASES))
    return verify(Scenario((plugin,), exchanges, {"auth": fine}), find.engine())


@pytest.mark.usefixtures("envoy_binary")
@pytest.mark.parametrize(
    "name", [pytest.param(case.name, id=case.name, marks=pytest.mark.envoy(*case.items)) for case in CASES]
)
def test_a_foreign_function_does_what_it_does_in_envoy(name: str) -> None:
    wanted = (name, "start") if name == CASES[0].name else (name,)
    found = [difference for difference in differences() if difference.where in wanted]
    if found:
        pytest.fail("\n\n".join(map(str, found)), pytrace=False)
