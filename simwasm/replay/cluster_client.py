"""The connection to a Dask cluster, and whether those who work there can do what is asked of them."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simwasm import __version__
from simwasm.errors import InputError

PATIENCE = 30.0
"""Seconds to wait for a worker where there is none."""
HURRY = 10.0
"""Seconds to wait for a scheduler."""
SAME = f"all of them need simwasm {__version__} and the same packages as this machine"


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """A client of the scheduler, whose workers can play."""
    distributed = distributed_package()
    for name in ("distributed", "distributed.client"):  # what matters is told in our words
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        client = distributed.Client(address, timeout=HURRY, set_as_default=False)
    except (OSError, distributed.TimeoutError, ValueError) as error:
        raise InputError(
            f"--cluster {address}: no scheduler answers there ({error}); `dask scheduler` starts one"
        ) from None
    try:
        _wait_for_workers(client, address)
        yield client
    except OSError as error:
        raise lost(address, error) from None
    finally:
        client.close(timeout=HURRY)


def _wait_for_workers(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except distributed_package().TimeoutError:
        raise InputError(
            f"--cluster {address}: it has no workers; `dask worker {address}` starts one"
        ) from None
    for worker, found in client.run(_version, on_error="return").items():
        if found != __version__:
            raise InputError(f"--cluster {address}: the worker {worker} has {_seen(found)}; {SAME}")


def _version() -> str:
    """Which simwasm a worker has."""
    return __version__


def _seen(found: object) -> str:
    return f"no simwasm that can be used ({found})" if isinstance(found, Exception) else f"simwasm {found}"


def distributed_package() -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError:
        raise InputError("--cluster needs Dask: pip install 'simwasm[dask]'") from None


def lost(address: str, error: OSError) -> InputError:
    """The error that the cluster is gone."""
    return InputError(f"--cluster {address}: the cluster is lost: {error}")
