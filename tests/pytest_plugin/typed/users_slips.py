"""Slips that type checkers have to find: `make check` fails where one of these lines is no mistake to them."""
# pyright: reportUnnecessaryTypeIgnoreComment=error

from __future__ import annotations

from simwasm.testing import PluginUnderTest, Reply, load_plugin


def test_slips(plugin: PluginUnderTest) -> None:
    plugin.send("GET")  # type: ignore[call-arg]  # no path
    plugin.send("GET", "/", header={})  # type: ignore[call-arg]  # another name
    plugin.send("GET", "/", body=5)  # type: ignore[arg-type]  # no body
    plugin.send("GET", "/").response.status.lower()  # type: ignore[attr-defined]  # a status is a number
    plugin.send("GET", "/").trace.never(5)  # type: ignore[arg-type]  # a filter is a text
    plugin.send("GET", "/").respons  # type: ignore[attr-defined]  # noqa: B018  # another name
    plugin.upstream("auth").reply(403)  # type: ignore[attr-defined]  # another name
    plugin.upstream("auth").answers(lambda request: Reply("201"))  # type: ignore[arg-type]  # a status is a number
    plugin.advance("5")  # type: ignore[arg-type]  # seconds are a number
    load_plugin(5)  # type: ignore[arg-type]  # a path is a text
