"""Rust's newer names: what `rustfilt` makes of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwasm.wasm.demangle.rust_v0 import rust_v0
from simwasm.wasm.demangle.symbol import LONGEST


@pytest.mark.parametrize(
    ("symbol", "shown"),
    [
        ("_RNvC7mycrate3foo", "mycrate::foo"),
        ("_RNvCs1234_7mycrate3foo", "mycrate::foo"),
        ("_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar"),
        ("_RNvMCs1_7mycrateNtB2_3Foo3new", "<mycrate::Foo>::new"),
        ("_RNvXCs1_7mycrateNtB2_3FooNtB2_5Trait3run", "<mycrate::Foo as mycrate::Trait>::run"),
        ("_RNCNvC7mycrate3foo0B3_", "mycrate::foo::{closure#0}"),
        ("_RNCNvC7mycrate3foos_0B3_", "mycrate::foo::{closure#1}"),
        ("_RINvC7mycrate3fooReE", "mycrate::foo::<&str>"),
        ("_RINvC7mycrate3fooThjEAhj10_E", "mycrate::foo::<(u8, usize), [u8; 16]>"),
        ("_RINvC7mycrate3fooFReEbE", "mycrate::foo::<fn(&str) -> bool>"),
        ("_RINvC7mycrate3fooDNtC4core5DebugEL_E", "mycrate::foo::<dyn core::Debug>"),
        ("_RINvC7mycrate3fooKb1_E", "mycrate::foo::<true>"),
        ("_RINvC7mycrate3fooKc41_E", "mycrate::foo::<'A'>"),
        ("_RINvC7mycrate3fooKln5_E", "mycrate::foo::<-5>"),
        ("_RNvC7mycrateu8gdel_5qa", "mycrate::gödel"),
        ("_RNvC7mycrate3foo.llvm.123", "mycrate::foo"),
        ("_RNvC9x3foo", None),
        ("_RNvC1x3fooB99_", None),
        ("_RIC1aB0_E", "a::<a>"),
        ("_RIB_E", None),
        ("_R", None),
        ("main", None),
    ],
)
def test_a_name_is_shown_as_rust_writes_it(symbol: str, shown: str | None) -> None:
    assert rust_v0(symbol) == shown


@given(st.text("RNvCIBTKE_s0159abhX", max_size=60))
def test_anything_is_a_short_text_or_none(tail: str) -> None:
    assert len(rust_v0(f"_R{tail}") or "") <= LONGEST
