"""Tests of a plugin: load it, send requests through it, and look at what became of them.

    from simwasm.testing import Action, Status, load_plugin

    plugin = load_plugin("plugin.wasm", config={"limit": 3})
    plugin.upstream("auth").replies(403)
    result = plugin.send("GET", "/status/418")
    assert result.response.status == 403
    assert result.action("proxy_on_request_headers") is Action.PAUSE
    assert result.call("proxy_get_header_map_value", key="allow").result is Status.NOT_FOUND
    assert result.logs.contains("deny by default")
    assert not result.upstream.called

Everything happens in virtual time, the same way on every machine. This package is for everybody; what has no name
here is not.
"""

from simwasm.abi.enums import Action, Status
from simwasm.testing.doing import Callout, Cost
from simwasm.testing.loading import load_plugin
from simwasm.testing.logs import LogLine, Logs
from simwasm.testing.phases import Call, LocalReply, Phase
from simwasm.testing.plugin_under_test import PluginUnderTest
from simwasm.testing.result import Received, Result
from simwasm.testing.stock import Metrics, Queue, SharedData
from simwasm.testing.streams import Stream, Talk
from simwasm.testing.trace import Trace
from simwasm.testing.upstream import Reply, Upstream
from simwasm.testing.values import Headers, Request, Response
from simwasm.testing.verdict import Verdict

__all__ = [
    "Action",
    "Call",
    "Callout",
    "Cost",
    "Headers",
    "LocalReply",
    "LogLine",
    "Logs",
    "Metrics",
    "Phase",
    "PluginUnderTest",
    "Queue",
    "Received",
    "Reply",
    "Request",
    "Response",
    "Result",
    "SharedData",
    "Status",
    "Stream",
    "Talk",
    "Trace",
    "Upstream",
    "Verdict",
    "load_plugin",
]
