"""The table says of the ABI what its documents say."""

from __future__ import annotations

import pickle

import pytest

from simwasm.abi.enums import Errno, Status
from simwasm.abi.table import (
    CALLBACKS,
    FUNCTIONS,
    HOST_FUNCTIONS,
    WASI_FUNCTIONS,
    Abi,
    Function,
    Side,
    callbacks,
    host_functions,
    named,
)
from simwasm.host.calls import HANDLERS


def test_wasi_has_forty_five_functions_under_two_names() -> None:
    assert len(WASI_FUNCTIONS) == 45
    keys = host_functions(Abi.V0_2_1)
    for row in WASI_FUNCTIONS:
        assert {("wasi_snapshot_preview1", row.name), ("wasi_unstable", row.name)} <= keys.keys()


@pytest.mark.parametrize(
    ("name", "versions"),
    [
        ("proxy_get_log_level", ["0.2.1"]),
        ("proxy_continue_request", ["0.1.0"]),
        ("proxy_continue_response", ["0.1.0"]),
        ("proxy_clear_route_cache", ["0.1.0"]),
        ("proxy_get_configuration", ["0.1.0"]),
        ("proxy_continue_stream", ["0.2.0", "0.2.1"]),
        ("proxy_close_stream", ["0.2.0", "0.2.1"]),
        ("proxy_log", ["0.1.0", "0.2.0", "0.2.1"]),
    ],
)
def test_a_version_has_the_functions_it_had(name: str, versions: list[str]) -> None:
    assert [version.value for version in Abi if ("env", name) in host_functions(version)] == versions


def test_thirty_six_proxy_functions_are_common_to_all_versions() -> None:
    common = [row for row in HOST_FUNCTIONS if row.name.startswith("proxy_") and all(map(row.has, Abi))]
    specific = [row for row in HOST_FUNCTIONS if row.name.startswith("proxy_") and not all(map(row.has, Abi))]
    assert (len(common), len(specific)) == (36, 7)


@pytest.mark.parametrize(
    ("name", "type"),
    [
        ("proxy_log", "i32 i32 i32 -> i32"),
        ("proxy_http_call", "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 -> i32"),
        ("proxy_send_local_response", "i32 i32 i32 i32 i32 i32 i32 i32 -> i32"),
        ("proxy_increment_metric", "i32 i64 -> i32"),
        ("proxy_get_header_map_value", "i32 i32 i32 i32 i32 -> i32"),
        ("proxy_continue_request", "void -> i32"),
        ("proxy_on_configure", "i32 i32 -> i32"),
        ("proxy_on_log", "i32 -> void"),
        ("_initialize", "void -> void"),
        ("proc_exit", "i32 -> void"),
        ("path_link", "i32 i32 i32 i32 i32 i32 -> i32"),
        ("fd_seek", "i32 i64 i32 i32 -> i32"),
    ],
)
def test_a_function_has_the_wasm_type_of_the_real_host(name: str, type: str) -> None:
    assert str(named(name)[0].type) == type


def test_request_headers_had_no_end_of_stream_in_the_first_version() -> None:
    assert str(callbacks(Abi.V0_1_0)["proxy_on_request_headers"].type) == "i32 i32 -> i32"
    assert str(callbacks(Abi.V0_2_0)["proxy_on_request_headers"].type) == "i32 i32 i32 -> i32"


@pytest.mark.parametrize("version", Abi)
def test_a_name_is_one_row_in_a_version(version: Abi) -> None:
    for group in (CALLBACKS, HOST_FUNCTIONS, WASI_FUNCTIONS):
        names = [row.name for row in group if row.has(version)]
        assert len(names) == len(set(names))


@pytest.mark.parametrize("row", FUNCTIONS, ids=lambda row: row.name)
def test_a_row_is_documented_in_a_sentence(row: Function) -> None:
    assert row.doc.endswith(".")
    assert row.doc[0].isupper() or row.doc[0] == "0"


@pytest.mark.parametrize("row", HOST_FUNCTIONS + WASI_FUNCTIONS, ids=lambda row: row.name)
def test_every_host_function_is_answered(row: Function) -> None:
    assert row.name in HANDLERS


def test_nothing_is_answered_that_is_not_in_the_table() -> None:
    assert set(HANDLERS) == {row.name for row in HOST_FUNCTIONS + WASI_FUNCTIONS}


def test_only_these_may_be_called_while_a_module_starts() -> None:
    early = {row.name for row in FUNCTIONS if row.side is Side.HOST and row.early}
    assert {name for name in early if name.startswith("proxy_")} == {"proxy_log"}
    assert not early & {"fd_read", "fd_seek", "fd_close", "path_open", "sched_yield", "proc_exit"}
    assert {"fd_write", "environ_get", "clock_time_get", "random_get", "poll_oneoff"} <= early


def test_only_these_may_be_called_in_the_allocator() -> None:
    assert {row.name for row in FUNCTIONS if row.in_allocator} == {
        "proxy_log", "fd_write", "clock_time_get", "poll_oneoff",
    }  # fmt: skip


def test_functions_answer_in_their_own_numbers() -> None:
    assert named("proxy_log")[0].errors is Status
    assert named("fd_write")[0].errors is Errno
    assert named("proc_exit")[0].errors is None


@pytest.mark.parametrize("row", FUNCTIONS, ids=lambda row: f"{row.name} {row.since.value}")
def test_a_row_that_comes_from_another_process_is_the_same_row(row: Function) -> None:
    assert pickle.loads(pickle.dumps(row)) is row
