"""Scalars and JSON as the real readers take them: what is expected here was written by those."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simwasm.config.scalars import of_envoy
from simwasm.config.struct_json import number_json, struct_json
from simwasm.config.tree import tree_of

KUBERNETES = r"""
a: [y, Y, yes, NO, on, Off, n, true, True, tRUE, ~, null, Null, NULL, '', "yes"]
b: [1, 0777, 0o17, 08, 0x1F, 0b101, 1_000, +5, -5, -0x10, 1e3, 1.50, .5, 5., 1e-7, 0.00001, 1e21, 1e20]
c: [123456789012345678901234567890, 9007199254740993, -0.0, -0, 0.1, 1.0, 1:30, 12:30:45, 1_0.5, 0b, 0x, 1__0]
d: [_1, 0o8, 1e400, 2026-01-01, 2026-01-01T00:00:00Z, "<b>&é\u2028\u0001\\\"/\t", é, '=', '<<', .5e1, 1.e5, e5]
1: x
2.5: z
true: q
0x10: hex
no: f
e: [!!str 5, !!int "5", !!float 5, 0.000001, 0.0000001, 123456.789e3]
"""
GO = (
    '{"1":"x","16":"hex","2.5":"z","a":[true,true,true,false,true,false,false,true,true,"tRUE",null,null,null,null,"",'
    '"yes"],"b":[1,511,15,8,31,5,1000,5,-5,-16,1000,1.5,0.5,5,1e-7,0.00001,1e+21,100000000000000000000],'
    '"c":[1.2345678901234568e+29,9007199254740992,-0,0,0.1,1,"1:30","12:30:45",10.5,"0b","0x",10],'
    '"d":["_1","0o8","1e400","2026-01-01","2026-01-01T00:00:00Z","\\u003cb\\u003e\\u0026é\\u2028\\u0001\\\\\\"/\\t","é",'
    '"=","\\u003c\\u003c",5,100000,"e5"],"e":["5",5,5,0.000001,1e-7,123456789],"false":"f","true":"q"}'
)
"""What sigs.k8s.io/yaml 1.6 and golang/protobuf's jsonpb make of it."""
ENVOY: dict[str, object] = {
    "1": 1, "010": 8, "0x10": 16, "1_000": "1_000", "+5": 5, "-5": -5, "1e3": "1e3", "2.5": "2.5", ".inf": ".inf",
    "yes": True, "Y": True, "n": False, "off": False, "TRUE": True, "tRUE": "tRUE", "~": None, "null": None, "''": "",
    "2147483647": 2147483647, "2147483648": "2147483648", "-2147483648": -2147483648, "-2147483649": "-2147483649",
    "9223372036854775808": "9223372036854775808", "0o17": "0o17", "0b1": "0b1", "08": "08", "' 5'": " 5", "5.0": "5.0",
    "-0": 0, "2026-01-01": "2026-01-01", "0x7fffffffff": "549755813887", "-0x10": -16, "'yes'": "yes",
}  # fmt: skip
"""What Envoy 1.40 makes of them."""


def test_a_struct_is_the_json_that_istio_makes() -> None:
    assert struct_json(tree_of(KUBERNETES, "a.yaml")) == GO


@pytest.mark.parametrize("text", ENVOY)
def test_a_scalar_is_what_envoy_takes_it_for(text: str) -> None:
    found = of_envoy(tree_of(text, "a.yaml"))
    assert (found, type(found)) == (ENVOY[text], type(ENVOY[text]))


def test_json_says_to_envoy_what_it_is() -> None:
    assert of_envoy(tree_of("[2.5]", "a.json").items[0]) == 2.5  # type: ignore[index]  # it is a list


@settings(max_examples=50)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_written_so_that_it_is_read_again(value: float) -> None:
    assert float(number_json(value)) == value


CONTENT = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=8,
)


@settings(max_examples=30)
@given(st.dictionaries(st.text(), CONTENT, max_size=4))
def test_a_configuration_means_the_same_as_json(content: dict[str, object]) -> None:
    assert json.loads(struct_json(tree_of(json.dumps(content, ensure_ascii=False), "a.json"))) == content
