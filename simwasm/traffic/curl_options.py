"""The options of curl: what each takes, and what it means for the request that the server gets.

Rules that live here: what is USED makes the request; QUIET concerns curl's own output, its patience and how it gets to
the server, so nothing is lost without it; TOLD would have changed what is sent or who is asked, and is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from enum import Enum
from typing import NamedTuple

from simwasm.traffic.request_text import Wrong, shortened


class Use(Enum):
    """What becomes of an option."""

    USED = "used"
    QUIET = "quiet"
    TOLD = "told"


class Option(NamedTuple):
    """One option as it was written."""

    name: str
    value: str = ""
    use: Use = Use.USED
    on: bool = True


SHORT = dict(
    zip(
        "aEKCbcdqDfFPGgIHh0ik46jlLMmnN:oZ#xUpQreJORXSsYy23tz1TBuAvVw",
        "append cert config continue-at cookie cookie-jar data disable dump-header fail form ftp-port get globoff head "
        "header help http1.0 include insecure ipv4 ipv6 junk-session-cookies list-only location manual max-time netrc "
        "no-buffer next output parallel progress-bar proxy proxy-user proxytunnel quote range referer "
        "remote-header-name remote-name remote-time request show-error silent speed-limit speed-time sslv2 sslv3 "
        "telnet-option time-cond tlsv1 upload-file use-ascii user user-agent verbose version write-out".split(),
        strict=True,
    )
)
_FLAGS = {
    Use.USED: "compressed get globoff head http1.0 http1.1 http2 http2-prior-knowledge http3 http3-only next basic "
    "path-as-is tr-encoding",
    Use.QUIET: "cert-status create-dirs disable disallow-username-in-url doh-cert-status doh-insecure fail fail-early "
    "fail-with-body false-start http0.9 ignore-content-length include insecure ipv4 ipv6 junk-session-cookies no-alpn "
    "no-buffer no-clobber clobber no-keepalive keepalive no-npn alpn npn no-progress-meter progress-meter no-sessionid "
    "sessionid parallel parallel-immediate progress-bar raw remote-header-name remote-name remote-name-all remote-time "
    "remove-on-error retry-all-errors retry-connrefused show-error silent ssl ssl-allow-beast ssl-auto-client-cert "
    "ssl-no-revoke ssl-reqd ssl-revoke-best-effort sslv2 sslv3 styled-output suppress-connect-headers tcp-fastopen "
    "tcp-nodelay tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 trace-time trace-ids verbose xattr buffer ca-native "
    "proxy-ca-native skip-existing mptcp tls-earlydata compressed-ssh dump-ca-embed out-null form-escape help manual "
    "version append list-only metalink crlf use-ascii",
    Use.TOLD: "anyauth digest negotiate ntlm ntlm-wb location location-trusted follow netrc netrc-optional "
    "post301 post302 post303 "
    "proxytunnel proxy-anyauth proxy-basic proxy-digest proxy-insecure proxy-negotiate proxy-ntlm proxy-http2 "
    "proxy-ssl-allow-beast proxy-ssl-auto-client-cert proxy-tlsv1 haproxy-protocol sasl-ir socks5-basic "
    "socks5-gssapi socks5-gssapi-nec disable-eprt disable-epsv ftp-create-dirs ftp-pasv ftp-pret ftp-skip-pasv-ip "
    "ftp-ssl-ccc ftp-ssl-control mail-rcpt-allowfails tftp-no-options",
}
_VALUES = {
    Use.USED: "cookie data data-ascii data-binary data-raw data-urlencode form form-string header json oauth2-bearer "
    "range referer request request-target url url-query user user-agent upload-file resolve "
    "continue-at",
    Use.QUIET: "cacert capath cert cert-type ciphers connect-timeout cookie-jar create-file-mode crlfile curves "
    "dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-url dump-header egd-file engine etag-save "
    "happy-eyeballs-timeout-ms hostpubmd5 hostpubsha256 hsts alt-svc interface keepalive-time keepalive-cnt key "
    "key-type libcurl limit-rate local-port max-filesize max-redirs max-time noproxy output output-dir parallel-max "
    "pass pinnedpubkey proto proto-default proto-redir pubkey random-file rate retry retry-delay retry-max-time "
    "speed-limit speed-time stderr tls-max tls13-ciphers tlsauthtype tlspassword tlsuser trace trace-ascii "
    "trace-config write-out ip-tos vlan-priority ech sigalgs ipfs-gateway unix-socket "
    "abstract-unix-socket connect-to expect100-timeout",
    Use.TOLD: "aws-sigv4 time-cond config delegation etag-compare netrc-file preproxy proxy proxy-cacert proxy-capath "
    "proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile proxy-header proxy-key proxy-key-type proxy-pass "
    "proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype proxy-tlspassword proxy-tlsuser "
    "proxy-user proxy1.0 service-name socks4 socks4a socks5 socks5-gssapi-service socks5-hostname haproxy-clientip "
    "variable ftp-account ftp-alternative-to-user ftp-method ftp-port ftp-ssl-ccc-mode krb login-options mail-auth "
    "mail-from mail-rcpt quote sasl-authzid telnet-option tftp-blksize upload-flags",
}
FLAGS = {name: use for use, names in _FLAGS.items() for name in names.split()}
VALUES = {name: use for use, names in _VALUES.items() for name in names.split()}


def options(words: tuple[str, ...]) -> Iterator[Option]:
    """Go through the words behind `curl`; an address alone is a `url`."""
    rest = iter(words)
    only_urls = False
    for word in rest:
        if only_urls or not word.startswith("-") or word == "-":
            yield Option("url", word)
        elif word == "--":
            only_urls = True
        elif word.startswith("--"):
            yield _long(word[2:], rest)
        else:
            yield from _short(word[1:], rest)


def _long(word: str, rest: Iterator[str]) -> Option:
    name, on = (word[3:], False) if word.startswith("no-") and word not in FLAGS else (word, True)
    if name in FLAGS:
        return Option(name, "", FLAGS[name], on)
    if name in VALUES and on:
        return Option(name, _value(f"--{name}", rest), VALUES[name])
    near = get_close_matches(name, [*FLAGS, *VALUES], 1)
    meant = f": did you mean --{near[0]}?" if near else ""
    raise Wrong(f"--{shortened(word)} is no option of curl that is known here{meant}")


def _short(letters: str, rest: Iterator[str]) -> Iterator[Option]:
    for at, letter in enumerate(letters):
        name = SHORT.get(letter)
        if name is None:
            raise Wrong(f"-{letter} is no option of curl that is known here")
        if name in FLAGS:
            yield Option(name, "", FLAGS[name])
            continue
        value = letters[at + 1 :] or _value(f"-{letter}", rest)
        yield Option(name, value, VALUES[name])
        return


def _value(option: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:
        raise Wrong(f"curl's option {option} needs a value")
    return value
