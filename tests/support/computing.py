"""A small plugin whose every instruction is known: what can be stepped through is counted by hand."""

from __future__ import annotations

from wat import plugin

from simwasm.plugin import Plugin

COMPUTES = """
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (global $sum (mut i32) (i32.const 0))
  (data (i32.const 0) "hello")
  (func $twice (param $x i32) (result i32)
    local.get $x
    local.get $x
    i32.add)
  (func $count (param $n i32) (result i32)
    (if (result i32) (i32.eqz (local.get $n))
      (then (i32.const 0))
      (else (i32.add (i32.const 1) (call $count (i32.sub (local.get $n) (i32.const 1)))))))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_request_headers") (param $context i32) (param $headers i32) (param $end i32) (result i32)
    (local $found i32)
    (local.set $found (call $twice (i32.const 21)))
    (i32.store (i32.const 100) (local.get $found))
    (drop (call $log (i32.const 2) (i32.const 0) (i32.const 5)))
    (global.set $sum (call $count (i32.const 3)))
    (i32.store8 (i32.const 101) (i32.const 7))
    (i32.gt_u (local.get $found) (i32.const 50)))
"""


def computing() -> Plugin:
    """A callback that doubles 21, stores it, logs, counts to 3, stores a byte, and pauses if the double is above 50."""
    return plugin(COMPUTES)
