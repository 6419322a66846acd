"""Runs the kernels in one engine, in a process and with a Python of its own: `worker.py ENGINE`.

Every line that it reads names a kernel and how much of its work to do; the answer is how many seconds of the
processor that took, and what the kernel gave. Rule: an engine is imported when it is asked for, because each
environment has only one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from io import BytesIO
from pathlib import Path
from time import process_time
from typing import Any

Run = Callable[[int], int]


def python(wasm: bytes) -> Run:
    """Ours."""
    return _ours(wasm, steppable=False)


def steppable(wasm: bytes) -> Run:
    """Ours, with a question before every instruction whether anybody watches; nobody does."""
    return _ours(wasm, steppable=True)


def _ours(wasm: bytes, *, steppable: bool) -> Run:
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from simwasm.engines.transpiler.instance import instantiate, run
    from simwasm.engines.transpiler.references import FunctionExtern
    from simwasm.wasm.reader import read_module

    instance = instantiate(read_module(wasm), {})
    instance.functions.steppable = steppable  # before any is made
    function = instance.exports["run"]
    assert isinstance(function, FunctionExtern)
    return lambda amount: int(run(function.call, amount))


def pwasm(wasm: bytes) -> Run:
    """Python source from Wasm, with an interpreter for what is called once or twice."""
    peer = _module("pwasm")
    run: Run = peer.instantiate(peer.decode_module(wasm)).exports.run
    return run


def ppci(wasm: bytes) -> Run:
    """Wasm to a compiler's intermediate code, and that to Python."""
    peer = _module("ppci.wasm")
    run: Run = peer.instantiate(peer.Module(wasm), {}, target="python").exports.run
    return run


def pywasm(wasm: bytes) -> Run:
    """An interpreter in Python."""
    peer = _module("pywasm").core
    runtime = peer.Runtime()
    instance = runtime.instance(peer.ModuleDesc.from_reader(BytesIO(wasm)))
    return lambda amount: int(runtime.invocate(instance, "run", [amount])[0])


def pywasm3(wasm: bytes) -> Run:
    """An interpreter in C."""
    environment = _module("wasm3").Environment()
    runtime = environment.new_runtime(1 << 16)
    runtime.load(environment.parse_module(wasm))
    run: Run = runtime.find_function("run")
    return run


def wasmer(wasm: bytes) -> Run:
    """Machine code."""
    peer = _module("wasmer")
    store = peer.Store(peer.engine.Universal(_module("wasmer_compiler_cranelift").Compiler))
    run: Run = peer.Instance(peer.Module(store, wasm)).exports.run
    return run


def wasmtime(wasm: bytes) -> Run:
    """Machine code."""
    peer = _module("wasmtime")
    store = peer.Store()
    run = peer.Instance(store, peer.Module(store.engine, wasm), []).exports(store)["run"]
    return lambda amount: int(run(store, amount))


def _module(name: str) -> Any:
    return import_module(name)


def main() -> None:
    """Answer until there is nothing more to read."""
    load: Callable[[bytes], Run] = globals()[sys.argv[1]]

    @cache
    def kernel(name: str) -> Run:
        return load(Path(__file__).with_name(f"{name}.wasm").read_bytes())

    for line in sys.stdin:
        name, amount = line.split()
        run = kernel(name)
        started = process_time()
        given = run(int(amount))
        print(process_time() - started, given & 0xFFFF_FFFF, flush=True)


if __name__ == "__main__":
    main()
