"""The letters of the C++ mangling and what they stand for."""

from __future__ import annotations

BUILTINS = {
    "v": "void", "w": "wchar_t", "b": "bool", "c": "char", "a": "signed char", "h": "unsigned char",
    "s": "short", "t": "unsigned short", "i": "int", "j": "unsigned int", "l": "long", "m": "unsigned long",
    "x": "long long", "y": "unsigned long long", "n": "__int128", "o": "unsigned __int128",
    "f": "float", "d": "double", "e": "long double", "g": "__float128", "z": "...",
}  # fmt: skip
EXTENDED = {
    "Dn": "std::nullptr_t", "Di": "char32_t", "Ds": "char16_t", "Du": "char8_t", "Da": "auto", "Dc": "decltype(auto)",
    "Dh": "half", "Df": "decimal32", "Dd": "decimal64", "De": "decimal128",
}  # fmt: skip
LITERALS = {"i": "", "j": "u", "l": "l", "m": "ul", "x": "ll", "y": "ull"}
"""What a number of a type ends with; those of others have the type in front."""
SPECIAL = {"TV": "vtable for ", "TT": "VTT for ", "TI": "typeinfo for ", "TS": "typeinfo name for "}
_STRING = "std::basic_string<char, std::char_traits<char>, std::allocator<char>>"
ABBREVIATIONS = {
    "t": ("std", "std"),
    "a": ("std::allocator", "std::allocator"),
    "b": ("std::basic_string", "std::basic_string"),
    "s": (_STRING, "std::string"),
    "i": ("std::basic_istream<char, std::char_traits<char>>", "std::istream"),
    "o": ("std::basic_ostream<char, std::char_traits<char>>", "std::ostream"),
    "d": ("std::basic_iostream<char, std::char_traits<char>>", "std::iostream"),
}
"""What `Sa` and so on stand for: in full where a constructor follows, else in short."""
OPERATORS = {
    "nw": "new", "na": "new[]", "dl": "delete", "da": "delete[]", "aw": "co_await",
    "ps": "+", "ng": "-", "ad": "&", "de": "*", "co": "~", "pl": "+", "mi": "-", "ml": "*", "dv": "/", "rm": "%",
    "an": "&", "or": "|", "eo": "^", "aS": "=", "pL": "+=", "mI": "-=", "mL": "*=", "dV": "/=", "rM": "%=",
    "aN": "&=", "oR": "|=", "eO": "^=", "ls": "<<", "rs": ">>", "lS": "<<=", "rS": ">>=", "eq": "==", "ne": "!=",
    "lt": "<", "gt": ">", "le": "<=", "ge": ">=", "ss": "<=>", "nt": "!", "aa": "&&", "oo": "||", "pp": "++",
    "mm": "--", "cm": ",", "pm": "->*", "pt": "->", "cl": "()", "ix": "[]", "qu": "?",
}  # fmt: skip
