"""Metrics."""

from __future__ import annotations

from simwasm.abi.enums import MetricType
from simwasm.host.calls.topic import calls
from simwasm.host.vm import Vm


def proxy_define_metric(vm: Vm, type: MetricType, name: str) -> int:
    return vm.metrics.define(type, name)


def proxy_increment_metric(vm: Vm, id: int, delta: int) -> None:
    vm.metrics.increment(id, delta)


def proxy_record_metric(vm: Vm, id: int, value: int) -> None:
    vm.metrics.record(id, value)


def proxy_get_metric(vm: Vm, id: int) -> int:
    return vm.metrics.get(id)


CALLS = calls(proxy_define_metric, proxy_increment_metric, proxy_record_metric, proxy_get_metric)
