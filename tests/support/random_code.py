"""Code of a random function: instructions of a stack machine, typed as they are written.

`value(type)` writes what leaves one value of a type, `statement()` what leaves none; both choose among all that
there is at this place, less deeply the deeper they are. Code after a branch is written as any other.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from random_shapes import NUMBERS, PAGE, REFERENCES, Shape, Signature, Type, zero

from simwasm.wasm.opcodes import OPCODES, Immediate, Opcode

INTERESTING = (0, 1, 2, 3, 7, 8, 31, 32, 63, 64, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000,
               0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF)  # fmt: skip
FLOATS = ("0", "-0", "1", "-1", "0.5", "1.5", "-2.5", "1e10", "4294967296", "-2147483648.5", "9.3e18", "inf", "-inf",
          "nan", "0x1p-149", "0x1.fffffep127", "16777217", "3e-39")  # fmt: skip
NANS = {
    "f32": ("nan:0x1", "-nan:0x200000", "nan:0x600001"),
    "f64": ("nan:0x1", "-nan:0x4000000000000", "nan:0x8f00000000000"),
}
ARITHMETIC = frozenset("add sub mul div min max sqrt ceil floor trunc nearest demote promote".split())
TRAPPING = frozenset("div_s div_u rem_s rem_u trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u".split())


def _type_name(opcode: Opcode) -> tuple[list[Type], Type]:
    assert opcode.type is not None
    return [type.value for type in opcode.type.params], opcode.type.results[0].value


def _table() -> dict[Type, list[tuple[Opcode, list[Type]]]]:
    """What computes a value of a type, with the types it takes."""
    found: dict[Type, list[tuple[Opcode, list[Type]]]] = {type: [] for type in (*NUMBERS, "v128")}
    for opcode in OPCODES:
        plain = opcode.immediate in (Immediate.NONE, Immediate.LANE, Immediate.SHUFFLE)
        if (
            plain
            and opcode.type
            and opcode.type.params
            and opcode.type.results
            and "relaxed" not in opcode.name
        ):
            params, result = _type_name(opcode)
            found[result].append((opcode, params))
    return found


def _accesses(store: bool) -> dict[Type, list[str]]:
    found: dict[Type, list[str]] = {}
    for opcode in OPCODES:
        if opcode.immediate is Immediate.ADDRESS and opcode.type and bool(opcode.type.results) is not store:
            type: Type = (opcode.type.params[1] if store else opcode.type.results[0]).value
            found.setdefault(type, []).append(opcode.name)
    return found


COMPUTING, LOADS, STORES = _table(), _accesses(False), _accesses(True)


LEAVING = ("br ", "br_table", "return", "unreachable")

Choice = Callable[[], bool]
"""Writes something, if that is possible here."""


class Code:
    """Writes one function."""

    def __init__(self, shape: Shape, chance: random.Random, index: int) -> None:
        self.shape, self.chance, self.index = shape, chance, index
        self.signature = shape.functions[index]
        self.locals: list[Type] = [*self.signature.params, *(chance.choice(shape.types) for _ in range(4))]
        self._kept: set[int] = set()
        """Locals that count loops down."""
        self._labels: list[tuple[Type, ...] | None] = []
        """What a branch takes along to each block around; None where nothing may branch to."""
        self._text: list[str] = []
        self._size = chance.choice((50, 200, 600))
        self._pointers: list[int] = []
        self._settling: dict[Type, int] = {}

    def body(self) -> str:
        """All of it."""
        self._spend()
        self._labels.append(self.signature.results)
        self._block_of(self.signature.results, self.chance.choice((3, 4, 5, 6)))
        return " ".join(self._text)

    # Writing.

    def _emit(self, *words: object) -> None:
        self._text.append(" ".join(map(str, words)))
        if words[0] in ("end", "else"):
            self._text.append("\n")
        self._size -= 1

    def _pick(self, choices: dict[Choice, int]) -> None:
        """Try choices in an order drawn by weight until one can be written here."""
        left = {choice: weight for choice, weight in choices.items() if weight}
        while left:
            choice = self.chance.choices([*left], [*left.values()])[0]
            if choice():
                return
            del left[choice]

    def _local(self, type: Type, *, kept: bool = False) -> int:
        """One of that type: some there is, or a new one."""
        hidden = self._settling.values() if kept else self._kept
        found = [at for at, have in enumerate(self.locals) if have == type and at not in hidden]
        if found and (len(found) > 3 or self.chance.random() < 0.8):
            return self.chance.choice(found)
        self.locals.append(type)
        return len(self.locals) - 1

    def _fresh(self, type: Type) -> int:
        self.locals.append(type)
        self._kept.add(len(self.locals) - 1)
        return len(self.locals) - 1

    def _scratch(self, type: Type) -> int:
        if type not in self._settling:
            self._settling[type] = self._fresh(type)
        return self._settling[type]

    def _spend(self) -> None:
        """Take one of what is left to do; stop when there is nothing."""
        self._emit("global.get 0 i32.eqz if unreachable end global.get 0 i32.const 1 i32.sub global.set 0")

    def _one_in(self, count: int) -> bool:
        return self.chance.randrange(count) == 0

    # Values.

    def values(self, types: tuple[Type, ...], depth: int) -> None:
        """One value of each type; things happen in between."""
        for type in types:
            self.value(type, depth)
            if depth > 0 and self._one_in(12):
                self.statement(depth - 1)

    def value(self, type: Type, depth: int) -> None:
        """One value."""
        if depth <= 0 or self._size < 0:
            self._simple(type)
            return
        choices: dict[Choice, int] = {
            lambda: self._simple(type): 4,
            lambda: self._computed(type, depth): 14 if type in COMPUTING else 0,
            lambda: self._loaded(type, depth): 3 if type in LOADS else 0,
            lambda: self._selected(type, depth): 1,
            lambda: self._teed(type, depth): 2,
            lambda: self._blocked((type,), depth): 2,
            lambda: self._called_for(type, depth): 2,
            lambda: self._branched_with(type, depth): 1,
            lambda: self._told(type, depth): 1,
        }
        self._pick(choices)

    def _simple(self, type: Type) -> bool:
        globals = [at for at, given in enumerate(self.shape.globals) if given.type == type and at]
        choice = self.chance.randrange(10)
        if choice < 5:
            self._emit("local.get", self._local(type, kept=True))
        elif choice < 7 and globals:
            self._emit("global.get", self.chance.choice(globals))
        else:
            self._constant(type)
        return True

    def _constant(self, type: Type) -> None:
        if type in ("i32", "i64"):
            width = int(type[1:])
            bits = (
                self.chance.choice(INTERESTING)
                if self._one_in(2)
                else self.chance.getrandbits(self.chance.choice((4, 8, 16, width)))
            )
            self._emit(f"{type}.const", bits % (1 << width))
        elif type in ("f32", "f64"):
            random_one = f"{self.chance.uniform(-100, 100):.3f}"
            self._emit(f"{type}.const", self.chance.choice((*FLOATS, random_one, random_one)))
        elif type == "v128":
            self._emit("v128.const i64x2", self.chance.getrandbits(64), self.chance.getrandbits(64))
        elif type == "funcref" and self._one_in(2):
            self._emit("ref.func", self.chance.randrange(len(self.shape.functions)))
        else:
            self._emit(zero(type))

    def _computed(self, type: Type, depth: int) -> bool:
        rows = [row for row in COMPUTING[type] if "v128" in self.shape.types or "v128" not in row[1]]
        opcode, params = self.chance.choice(rows)
        if type in ("i32", "i64") and self._one_in(2):  # half of it is what compilers write most
            opcode, params = self.chance.choice([row for row in rows if set(row[1]) == {type}])
        operation = opcode.name.split(".")[1]
        if operation in TRAPPING and not self._one_in(4):
            return False
        for at, param in enumerate(params):
            seen = "reinterpret" in operation or "splat" in operation or "replace" in operation
            if param in ("f32", "f64") and (seen or (operation == "copysign" and at == 1)):
                self.settled(param, depth - 1)
            else:
                self.value(param, depth - 1)
                if depth > 1 and self._one_in(20):
                    self.statement(depth - 2)
        if operation in TRAPPING and operation[:3] in ("div", "rem") and not self._one_in(8):
            self._emit(f"{type}.const 1 {type}.or")
        self._emit(opcode.name, *self._lanes(opcode))
        if self._one_in(50):
            self._emit("nop")
        if type == "v128" and opcode.name[0] == "f" and operation.split("_")[0] in ARITHMETIC:
            self._settle_lanes(opcode.name.split(".")[0])
        return True

    def _lanes(self, opcode: Opcode) -> list[int]:
        if opcode.immediate is Immediate.SHUFFLE:
            return [self.chance.randrange(32) for _ in range(16)]
        if opcode.immediate is Immediate.LANE:
            return [self.chance.randrange(int(opcode.name.split(".")[0].split("x")[1]))]
        return []

    def settled(self, type: Type, depth: int) -> None:
        """A float whose bits are the same everywhere: a NaN that was computed is made canonical."""
        if self._one_in(3):
            self._bits(type, depth)
            return
        self.value(type, depth)
        self._settle(type)

    def _settle(self, type: Type) -> None:
        held = self._scratch(type)
        self._emit(f"local.tee {held} {type}.const nan local.get {held} local.get {held} {type}.eq select")

    def _bits(self, type: Type, depth: int) -> None:
        """A float that may be any NaN, signalling ones too."""
        choice = self.chance.randrange(6) if depth > 0 else 5
        if choice < 2:
            self._bits(type, depth - 1)
            self._emit(f"{type}.{'neg' if choice else 'abs'}")
        elif choice == 2:
            self.value("i32" if type == "f32" else "i64", depth - 1)
            self._emit(f"{type}.reinterpret_i{type[1:]}")
        elif choice == 3:
            self.address(depth - 1)
            self._emit(f"{type}.load")
        elif choice == 4:
            self._bits(type, depth - 1)
            self._bits(type, depth - 1)
            self._emit(f"{type}.copysign")
        else:
            self._emit(f"{type}.const", self.chance.choice(NANS[type]))

    def _settle_lanes(self, shape: str) -> None:
        held = self._scratch("v128")
        nan = f"{shape[:3]}.const nan {shape}.splat"
        self._emit(f"local.tee {held} {nan} local.get {held} local.get {held} {shape}.eq v128.bitselect")

    def address(self, depth: int) -> None:
        """An address, nearly always within the memory; often from one of the pointers that a function has."""
        if self._pointers and self._one_in(3):
            self._emit("local.get", self.chance.choice(self._pointers))
            return
        self.value("i32", depth)
        if not self._one_in(40):
            self._emit("i32.const", self.chance.choice((0xFF, 0xFFF, PAGE - 256)), "i32.and")
        if self._one_in(4):
            self._pointers = [*self._pointers[-2:], self._local("i32")]
            self._emit("local.tee", self._pointers[-1])

    def _condition(self, depth: int) -> None:
        """What a branch asks: often whether a local is below something."""
        if self._one_in(2):
            self.value("i32", depth)
            return
        type: Type = self.chance.choice(("i32", "i32", "i64"))
        self._emit("local.get", self._local(type, kept=True))
        if self._one_in(5):
            self._emit(f"{type}.eqz")
        else:
            self._constant(type)
            operator = self.chance.choice(
                ("eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u")
            )
            self._emit(f"{type}.{operator}")
        if self._one_in(5):
            self._emit("i32.eqz")

    def _offset(self) -> str:
        offset = self.chance.choice((0, 0, 1, 4, 8, 13, 100))
        if self._one_in(100):
            offset = self.chance.choice((PAGE - 4, 1 << 20, (1 << 32) - 1))
        return f"offset={offset}" if offset else ""

    def _loaded(self, type: Type, depth: int) -> bool:
        self.address(depth - 1)
        if type == "v128" and self._one_in(3):
            self.value(type, depth - 1)
            self._lane("load")
        else:
            self._emit(self.chance.choice(LOADS[type]), self._offset())
        return True

    def _lane(self, what: str) -> None:
        width = self.chance.choice((8, 16, 32, 64))
        self._emit(f"v128.{what}{width}_lane", self._offset(), self.chance.randrange(128 // width))

    def _selected(self, type: Type, depth: int) -> bool:
        self.values((type, type), depth - 1)
        self._condition(depth - 1)
        self._emit("select" if type not in REFERENCES and self._one_in(2) else f"select (result {type})")
        return True

    def _teed(self, type: Type, depth: int) -> bool:
        self.value(type, depth - 1)
        self._emit("local.tee", self._local(type))
        return True

    def _called_for(self, type: Type, depth: int) -> bool:
        found = [at for at, signature in enumerate(self.shape.functions) if type in signature.results]
        if not found:
            return False
        index = self._later(found)
        self._call(index, depth)
        self._keep(self.shape.functions[index].results, type)
        return True

    def _later(self, found: list[int]) -> int:
        """Rather one after this function: calls of it and those before may go round."""
        later = [at for at in found if at > self.index or at < self.shape.first_own]
        return self.chance.choice(later if later and not self._one_in(6) else found)

    def _call(self, index: int, depth: int) -> None:
        signature = self.shape.functions[index]
        self.values(signature.params, depth - 1)
        if index in self.shape.entries and self._one_in(2):
            self._emit("i32.const", self.shape.entries.index(index))
            self._emit("call_indirect", signature.text)
        elif self._one_in(12):
            self._entry(depth - 1)
            self._emit("call_indirect", self.chance.choice((0, 0, 0, 1)), signature.text)
        else:
            self._emit("call", index)

    def _entry(self, depth: int) -> None:
        """An index of a table."""
        if self._one_in(3):
            self.value("i32", depth)
            self._emit("i32.const 7 i32.and")
        else:
            self._emit("i32.const", self.chance.randrange(8))

    def _keep(self, types: tuple[Type, ...], wanted: Type) -> None:
        """Of many results leave one of that type."""
        at = max(at for at, type in enumerate(types) if type == wanted)
        for type in reversed(types[at + 1 :]):
            self._drop(type)
        if at:
            held = self._fresh(wanted)
            self._emit("local.set", held)
            for type in reversed(types[:at]):
                self._drop(type)
            self._emit("local.get", held)

    def _drop(self, type: Type) -> None:
        if self._one_in(2):
            self._emit("local.set", self._local(type))
        else:
            self._emit("drop")

    def _branched_with(self, type: Type, depth: int) -> bool:
        """A value that a branch may take along."""
        found = self._branches((type,))
        if not found:
            return False
        self.value(type, depth - 1)
        self._condition(depth - 1)
        self._emit("br_if", self.chance.choice(found))
        return True

    def _told(self, type: Type, depth: int) -> bool:
        """What the memory and the tables tell."""
        if type in REFERENCES:
            at = self.chance.choice([at for at, table in enumerate(self.shape.tables) if table.type == type])
            self._entry(depth - 1)
            self._emit("table.get", at)
        elif type == "i32":
            at = self.chance.randrange(len(self.shape.tables))
            choice = self.chance.randrange(6)
            if choice == 0:
                self._emit("memory.size")
            elif choice == 1:
                self._emit(f"i32.const {self.chance.choice((0, 1, 1, 2, 70000))} memory.grow")
            elif choice == 2:
                self._emit("table.size", at)
            elif choice == 3:
                self.value(self.shape.tables[at].type, depth - 1)
                self._emit(f"i32.const {self.chance.choice((0, 1, 2, 99))} table.grow", at)
            else:
                self.value(self.chance.choice(REFERENCES), depth - 1)
                self._emit("ref.is_null")
        else:
            return False
        return True

    # Blocks.

    def _blocked(self, results: tuple[Type, ...], depth: int) -> bool:
        """A block, a loop or an `if`, maybe with parameters."""
        if len(self._labels) > 8 or self._size < 0:
            return False
        params = tuple(self.chance.choices(self.shape.types, k=self.chance.choice((0, 0, 0, 1, 2))))
        kind = self.chance.choice(("block", "block", "loop", "loop", "if", "if"))
        if kind == "loop" and self._one_in(2):
            self._counted_loop(results, depth)
            return True
        self.values(params, depth - 1)
        if kind == "if":
            self._condition(depth - 1)
        self._emit(kind, Signature(params, results).text)
        self._labels.append(params if kind == "loop" else results)
        self._entered(params, kind)
        self._block_of(results, depth - 1)
        if kind == "if" and (params != results or self._one_in(2)):
            self._emit("else")
            self._entered(params, kind)
            self._block_of(results, depth - 1)
        self._labels.pop()
        self._emit("end")
        return True

    def _entered(self, params: tuple[Type, ...], kind: str) -> None:
        if kind == "loop":
            self._spend()
        for type in reversed(params):
            self._drop(type)

    def _counted_loop(self, results: tuple[Type, ...], depth: int) -> None:
        """What compilers write: the one branch back asks a local that only it changes."""
        counter = self._fresh("i32")
        times = self.chance.randint(1, 5)
        up = self._one_in(2)
        self._emit(f"i32.const {0 if up else times} local.set {counter}")
        self._emit("loop", Signature((), results).text)
        self._labels.append(None)
        for _ in range(self.chance.randint(1, 3)):
            self.statement(depth - 1)
        if up:
            self._emit(
                f"local.get {counter} i32.const 1 i32.add local.tee {counter} i32.const {times} i32.lt_u br_if 0"
            )
        else:
            self._emit(f"local.get {counter} i32.const 1 i32.sub local.tee {counter} br_if 0")
        self.values(results, depth - 1)
        self._labels.pop()
        self._emit("end")

    def _block_of(self, results: tuple[Type, ...], depth: int) -> None:
        """What happens in a block, and what it leaves."""
        for _ in range(self.chance.randint(0, 4)):
            if self.statement(depth - 1) and not self._one_in(3):
                return
        if len(self._labels) == 1:
            self._end_of_body(depth)
        self.values(results, depth)

    def _end_of_body(self, depth: int) -> None:
        """Where locals are told to the memory, and where tail calls are."""
        for at, type in enumerate(self.locals):
            if type in STORES and at not in self._settling.values() and self._one_in(3):
                self._emit("i32.const", self.chance.randrange(0, 4096, 4))
                self._emit("local.get", at)
                if type in ("f32", "f64"):
                    self._settle(type)
                self._emit(f"{type}.store")
        if self.shape.tail_calls and self._one_in(2):
            self._tail_called(depth)

    def _switch(self, depth: int) -> bool:
        """Blocks in blocks, a `br_table` in the middle, and behind each block a case."""
        cases = self.chance.randint(1, 6)
        if len(self._labels) + cases > 20:
            return False
        for _ in range(cases + 1):
            self._emit("block")
            self._labels.append(())
        self.value("i32", depth - 1)
        self._emit(f"i32.const 7 i32.and br_table {' '.join(map(str, self._branches(()) * 2))}")
        for at in range(cases + 1):
            self._labels.pop()
            self._emit("end")
            for _ in range(self.chance.randint(0, 2)):
                self.statement(depth - 1)
            if at < cases and self._one_in(2):
                self._emit("br", cases - at - 1)  # what `break` becomes
        return True

    def _walk(self, depth: int) -> bool:
        """A loop as compilers write it: a pointer or index goes in steps to an end, and the memory is used there.

        It comes to its end even if it goes once around all numbers, because every condition fails there.
        """
        if len(self._labels) > 8:
            return False
        step, count = self.chance.choice((1, 1, 2, 4, 4, 8, 16, -1, -4)), self.chance.randint(1, 6)
        begin = self.chance.choice(
            (0, 8, 100, 1000, PAGE - 4 * count, PAGE - 64, PAGE + 3, (1 << 32) - 8, (1 << 31) - 4)
        )
        begin, end = begin % (1 << 32), (begin + step * count) % (1 << 32)
        pointer, last = self._fresh("i32"), self._fresh("i32")
        self._emit(f"i32.const {begin} local.set {pointer} i32.const {end} local.set {last}")
        limit = self.chance.choice((f"i32.const {end}", f"local.get {last}"))
        test = f"{limit} i32.{self.chance.choice(('ne', 'ne', 'lt_u', 'lt_s', 'gt_u', 'gt_s'))}"
        following = f"i32.const {step} i32.add" if self._one_in(3) else f"i32.const {-step} i32.sub"
        if self._one_in(2):
            self._emit("loop")
            self._labels.append(None)
            self._walked(pointer, depth)
            self._emit(f"local.get {pointer} {following} local.tee {pointer} {test} br_if 0 end")
            self._labels.pop()
        else:
            self._emit(f"block loop local.get {pointer} {test} i32.eqz br_if 1")
            self._labels += [(), None]
            self._walked(pointer, depth)
            self._emit(f"local.get {pointer} {following} local.set {pointer} br 0 end end")
            del self._labels[-2:]
        return True

    def _walked(self, pointer: int, depth: int) -> None:
        """What happens at the pointer."""
        for _ in range(self.chance.randint(1, 3)):
            at = self.chance.choice((f"local.get {pointer}", f"i32.const 64 local.get {pointer} i32.add",
                                     f"local.get {pointer} i32.const 2 i32.shl",
                                     f"local.get {pointer} i32.const 4 i32.sub"))  # fmt: skip
            type: Type = self.chance.choice(
                ("i32", "i32", "i64", *(t for t in self.shape.types if t == "v128"))
            )
            load, store = self.chance.choice(LOADS[type]), self.chance.choice(STORES[type])
            choice = self.chance.randrange(4)
            if choice == 0:
                self.statement(depth - 1)
            elif choice == 1:
                self._emit(at, load, self._offset(), "local.set", self._local(type))
            elif choice == 2:
                self._emit(at)
                self.value(type, depth - 1)
                self._emit(store, self._offset())
            else:
                self._emit(at, at, load, self._offset())
                self.value(type, 0)
                self._emit("v128.xor" if type == "v128" else f"{type}.add")
                self._emit(store, self._offset())

    def _tower(self) -> bool:
        """More blocks in blocks than Python nests."""
        if len(self._labels) > 8:
            return False
        height = self.chance.choice((15, 22, 30, 110))
        kinds = [self.chance.choice(("block", "block", "loop", "if")) for _ in range(height)]
        for kind in kinds:
            if kind == "if":
                self._simple("i32")
            self._emit(kind)
            self._labels.append(None if kind == "loop" else ())
            if self._one_in(4):
                self.statement(0)
        for _ in kinds:
            if self._one_in(3):
                self._branched_if(0)
            self.statement(0)
            self._labels.pop()
            self._emit("end")
        return True

    def _sum(self) -> bool:
        """A long expression."""
        type: Type = self.chance.choice(("i32", "i64"))
        count = self.chance.choice((30, 120, 250))
        if self._one_in(2):
            for _ in range(count):
                self._simple(type)
            self._emit(
                " ".join(f"{type}.{self.chance.choice(('add', 'sub', 'xor'))}" for _ in range(count - 1))
            )
        else:
            self._simple(type)
            for _ in range(count):
                self._simple(type)
                self._emit(
                    f"{type}.{self.chance.choice(('add', 'sub', 'mul', 'xor', 'or', 'shl', 'shr_s', 'rotl'))}"
                )
        self._drop(type)
        return True

    # Statements.

    def statement(self, depth: int) -> bool:
        """One; whether nothing after it can be reached."""
        if self._size < 0:
            return False
        before = len(self._text)
        choices: dict[Choice, int] = {
            lambda: self._set(depth): 10,
            lambda: self._stored(depth): 6,
            lambda: self._block_left_empty(depth): 6 if depth > 0 else 0,
            lambda: self._called(depth): 3 if depth > 0 else 0,
            lambda: self._branched_if(depth): 3,
            lambda: self._bulk(depth): 1,
            lambda: self._table(depth): 1,
            lambda: self._left(depth): 1,
            lambda: self._switch(depth): 1 if depth > 0 else 0,
            lambda: self._walk(depth): 4 if depth > 0 else 0,
            lambda: self._tower(): 1 if depth > 1 and self._one_in(8) else 0,
            lambda: self._sum(): 1 if self._one_in(10) else 0,
        }
        self._pick(choices)
        return len(self._text) > before and self._text[-1].startswith(LEAVING)

    def _set(self, depth: int) -> bool:
        if self._one_in(3):
            found = [at for at, given in enumerate(self.shape.globals) if given.mutable and at]
            at = self.chance.choice(found)
            self.value(self.shape.globals[at].type, depth)
            self._emit("global.set", at)
        else:
            type = self.chance.choice(self.shape.types)
            self.value(type, depth)
            self._drop(type)
        return True

    def _stored(self, depth: int) -> bool:
        type: Type = self.chance.choice([type for type in self.shape.types if type in STORES])
        self.address(depth - 1)
        if type in ("f32", "f64"):
            self.settled(type, depth)
        else:
            self.value(type, depth)
        if type == "v128" and self._one_in(3):
            self._lane("store")
        else:
            self._emit(self.chance.choice(STORES[type]), self._offset())
        return True

    def _block_left_empty(self, depth: int) -> bool:
        results = tuple(self.chance.choices(self.shape.types, k=self.chance.choice((0, 0, 0, 1, 2))))
        if not self._blocked(results, depth):
            return False
        for type in reversed(results):
            self._drop(type)
        return True

    def _called(self, depth: int) -> bool:
        index = self._later([*range(len(self.shape.functions))])
        self._call(index, depth)
        for type in reversed(self.shape.functions[index].results):
            self._drop(type)
        return True

    def _branches(self, types: tuple[Type, ...] | None = None) -> list[int]:
        """The labels that may be branched to, of any types or of these."""
        return [
            at
            for at, label in enumerate(reversed(self._labels))
            if label is not None and (types is None or label == types)
        ]

    def _branched_if(self, depth: int) -> bool:
        found = self._branches()
        at = self.chance.choice(found)
        types = self._labels[-1 - at] or ()
        self.values(types, depth - 1)
        self._condition(depth - 1)
        self._emit("br_if", at)
        for type in reversed(types):
            self._drop(type)
        return True

    def _left(self, depth: int) -> bool:
        """Leave the block or the function."""
        choice = self.chance.randrange(12)
        if choice < 5:
            at = self.chance.choice(self._branches())
            self.values(self._labels[-1 - at] or (), depth - 1)
            self._emit("br", at)
        elif choice < 8:
            types = self._labels[-1 - self.chance.choice(self._branches())]
            self.values(types or (), depth - 1)
            self.value("i32", depth - 1)
            if not self._one_in(3):
                self._emit("i32.const 7 i32.and")
            self._emit("br_table", *self.chance.choices(self._branches(types), k=self.chance.randint(1, 9)))
        elif choice < 9 and self.shape.tail_calls:
            return self._tail_called(depth)
        elif choice < 11:
            self.values(self.signature.results, depth - 1)
            self._emit("return")
        elif self._one_in(4):
            self._emit("unreachable")
        return True

    def _tail_called(self, depth: int) -> bool:
        found = [
            at for at, given in enumerate(self.shape.functions) if given.results == self.signature.results
        ]
        index = self.chance.choice(found)
        signature = self.shape.functions[index]
        self.values(signature.params, depth - 1)
        if self._one_in(2):
            self._entry(depth - 1)
            self._emit("return_call_indirect", signature.text)
        else:
            self._emit("return_call", index)
        return True

    def _length(self, depth: int, most: int) -> None:
        self.value("i32", depth)
        if not self._one_in(20):
            self._emit("i32.const", most, "i32.and")

    def _bulk(self, depth: int) -> bool:
        choice = self.chance.randrange(4)
        if choice == 3:
            if self._one_in(3):
                self._emit("data.drop", self.chance.randrange(4))
            return True
        self.address(depth - 1)
        if choice == 0:
            self.value("i32", depth - 1)
            self._length(depth - 1, 255)
            self._emit("memory.fill")
        elif choice == 1:
            self.address(depth - 1)
            self._length(depth - 1, 255)
            self._emit("memory.copy")
        else:
            self._length(depth - 1, 15)
            self._length(depth - 1, 15)
            self._emit("memory.init", self.chance.choice((0, 1, 1, 1, 2, 3)))
        return True

    def _table(self, depth: int) -> bool:
        at = self.chance.randrange(len(self.shape.tables))
        type = self.shape.tables[at].type
        choice = self.chance.randrange(6)
        if choice < 2:
            self._entry(depth - 1)
            self.value(type, depth - 1)
            self._emit("table.set", at)
        elif choice == 2:
            self._entry(depth - 1)
            self.value(type, depth - 1)
            self._length(depth - 1, 3)
            self._emit("table.fill", at)
        elif choice == 3 or type == "externref":
            self._entry(depth - 1)
            self._entry(depth - 1)
            self._length(depth - 1, 3)
            self._emit("table.copy", at, *([at] if type == "externref" else [self.chance.randrange(2)]))
        elif choice == 4:
            self._entry(depth - 1)
            self._length(depth - 1, 3)
            self._length(depth - 1, 1)
            self._emit("table.init", at, self.chance.choice((0, 1, 1, 2, 3, 3)))
        elif self._one_in(3):
            self._emit("elem.drop", self.chance.randrange(4))
        return True
