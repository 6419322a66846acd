"""A plugin's version is chosen by its marker."""

from __future__ import annotations

from pathlib import Path

import pytest
import wasmtime

from simwasm.abi.table import Abi
from simwasm.errors import BadModule, InputError, LinkError
from simwasm.plugin import Plugin, bounded, read_bytes


def exporting(*names: str) -> Plugin:
    fields = " ".join(f'(func (export "{name}"))' for name in names)
    return Plugin("p", bytes(wasmtime.wat2wasm(f"(module {fields})")))


@pytest.mark.parametrize("version", Abi)
def test_the_marker_chooses_the_version(version: Abi) -> None:
    assert exporting(version.marker).abi is version


def test_a_module_without_a_marker_is_no_plugin() -> None:
    with pytest.raises(
        LinkError, match=r"it exports no proxy_abi_version_\* function; known are 0\.1\.0, 0\.2\.0, 0\.2\.1"
    ):
        exporting("run").abi  # noqa: B018  # asking is the test


def test_an_unknown_marker_is_named() -> None:
    with pytest.raises(LinkError, match="it exports proxy_abi_version_0_3_0"):
        exporting("proxy_abi_version_0_3_0").abi  # noqa: B018  # asking is the test


def test_bytes_that_are_no_module_are_refused() -> None:
    with pytest.raises(BadModule):
        Plugin("p", b"#!/bin/sh\n").abi  # noqa: B018  # asking is the test


def test_the_digest_is_that_of_the_bytes() -> None:
    assert Plugin("p", b"").sha256.startswith("e3b0c44298fc1c14")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_bytes(tmp_path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no device without an end")
def test_of_what_has_no_end_only_so_much_is_read() -> None:
    with (
        open("/dev/zero", "rb") as stream,
        pytest.raises(InputError, match="/dev/zero: has more than 3 MiB"),
    ):
        bounded(stream, "/dev/zero", 3 << 20)


def test_plugins_of_the_same_bytes_share_what_is_known_of_them() -> None:
    first, second = exporting("run"), exporting("run")
    assert first.module is not second.module
    assert exporting("run").like(first).module is first.module


def test_plugins_of_other_bytes_share_nothing() -> None:
    first, other = exporting("run"), exporting("stop")
    assert first.module.exports[0].name == "run"
    assert other.like(first).module.exports[0].name == "stop"
