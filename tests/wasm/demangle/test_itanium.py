"""Names of C++: what `c++filt` makes of them, and what nobody would read to the end."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwasm.wasm.demangle.itanium import itanium
from simwasm.wasm.demangle.symbol import LONGEST

NAMES = [
    ("_Z3foov", "foo()"),
    ("_Z3fooiPKcRd", "foo(int, char const*, double&)"),
    ("_ZN11RootContext11onConfigureEm", "RootContext::onConfigure(unsigned long)"),
    ("_ZNK1a1b3getEv", "a::b::get() const"),
    ("_ZNO1a4takeEv", "a::take() &&"),
    ("_ZN1aC2Ev", "a::a()"),
    ("_ZN1aD0Ev", "a::~a()"),
    ("_ZNSt6vectorIiSaIiEEC1Ev", "std::vector<int, std::allocator<int>>::vector()"),
    (
        "_ZNSt6vectorIiSaIiEE9push_backERKi",
        "std::vector<int, std::allocator<int>>::push_back(int const&)",
    ),
    (
        "_ZNSsC1EPKc",
        "std::basic_string<char, std::char_traits<char>, std::allocator<char>>::basic_string(char const*)",
    ),
    ("_ZNSs6appendEPKc", "std::string::append(char const*)"),
    ("_ZN1aeqERKS_", "a::operator==(a const&)"),
    ("_ZN1anwEm", "a::operator new(unsigned long)"),
    ("_ZN1acvbEv", "a::operator bool()"),
    ("_ZlsRSoRK1a", "operator<<(std::ostream&, a const&)"),
    ("_Z1fIiEvT_", "void f<int>(int)"),
    ("_Z1fIJidEEvDpT_", "void f<int, double>(int, double)"),
    ("_Z1fIJEEvDpT_", "void f<>()"),
    ("_Z1fPFivE", "f(int (*)())"),
    ("_Z1fPA3_i", "f(int (*) [3])"),
    ("_Z1fM1aFvvE", "f(void (a::*)())"),
    ("_Z1fM1aKFvvE", "f(void (a::*)() const)"),
    ("_Z1fOKi", "f(int const&&)"),
    ("_Z1fILi3EEvv", "void f<3>()"),
    ("_Z1fILb1EEvv", "void f<true>()"),
    ("_ZZ1fvE1x", "f()::x"),
    ("_ZZ1fvENKUlvE_clEv", "f()::'lambda'()::operator()() const"),
    ("_ZN12_GLOBAL__N_11fEv", "(anonymous namespace)::f()"),
    ("_ZTV1a", "vtable for a"),
    ("_ZGVZ1fvE1x", "guard variable for f()::x"),
    ("_ZThn8_N1a1fEv", "non-virtual thunk to a::f()"),
    ("_ZNSt8ios_base7failureB5cxx11C1Ev", "std::ios_base::failure[abi:cxx11]::failure()"),
    ("_ZN4llvmlsINS_1aEEERT_S3_", "llvm::a& llvm::operator<<<llvm::a>(llvm::a&)"),
    (
        "_Z1fIiENSt9enable_ifIXsr1aIT_EE5valueEvE4typeES1_",
        "std::enable_if<a<int>::value, void>::type f<int>(int)",
    ),
    ("_Z3foov.1", "foo() (.1)"),
]


@pytest.mark.parametrize(("symbol", "shown"), NAMES)
def test_a_name_is_shown_as_cpp_writes_it(symbol: str, shown: str) -> None:
    assert itanium(symbol) == shown


@pytest.mark.parametrize(
    "symbol", ["", "_Z", "foo", "_ZN", "_Z3fo", "_ZS_", "_Z1fT_", "_Z1fv?", "_ZN1aIE", "_Z9999999999f"]
)
def test_what_is_no_name_of_cpp_is_none(symbol: str) -> None:
    assert itanium(symbol) is None


def test_a_name_that_grows_with_every_part_is_given_up() -> None:
    """Each pair is of two of the pair before: the fortieth would be a text of a terabyte."""
    pairs = "".join(f"S0_IS{digit}_S{digit}_E" for digit in "123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert (
        itanium(f"_Z1f1aSt4pairIS_S_E{pairs[:22]}")
        == "f(a, std::pair<a, a>, std::pair<std::pair<a, a>, std::pair<a, a>>, "
        "std::pair<std::pair<std::pair<a, a>, std::pair<a, a>>, std::pair<std::pair<a, a>, std::pair<a, a>>>)"
    )
    assert itanium(f"_Z1f1aSt4pairIS_S_E{pairs}") is None


@pytest.mark.parametrize(
    "symbol", ["_Z1f" + "P" * 5000 + "i", "_Z1f" + "I" * 5000, "_ZN" + "1aI" * 5000, "_Z" * 5000]
)
def test_a_deep_name_is_given_up_at_once(symbol: str) -> None:
    began = time.process_time()
    assert itanium(symbol) is None
    assert time.process_time() - began < 1


@given(st.text("_ZNSIEKPRTv1a0L", max_size=60))
def test_anything_is_a_short_text_or_none(tail: str) -> None:
    assert len(itanium(f"_Z{tail}") or "") <= 2 * LONGEST


def test_a_changed_name_is_a_short_text_or_none() -> None:
    chance = random.Random(5)
    for _ in range(2000):
        letters = list(chance.choice(NAMES)[0])
        letters[chance.randrange(2, len(letters))] = chance.choice("INESTPKR_01389LXJDp")
        assert len(itanium("".join(letters)) or "") <= 2 * LONGEST
