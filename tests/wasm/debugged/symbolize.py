"""Write down what llvm-symbolizer says of the modules here, for the tests to compare with: `python symbolize.py`.

It needs llvm-19, which those who run the tests need not have. Of every module, some addresses of its code, with the
functions there, innermost first: the name of an inlined one, and the place. Lines of zero are left out, as no places.
"""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from posixpath import normpath

from simwasm.wasm.dwarf.sections import code_start
from simwasm.wasm.reader import read_module

HERE = Path(__file__).parent
COMMAND = ["llvm-symbolizer-19", "--output-style=JSON", "--inlines", "--no-demangle"]
COUNT = 60


def places(path: Path) -> dict[str, list[str]]:
    module = read_module(path.read_bytes())
    code = code_start(module)
    chance = random.Random(path.name)
    bodies = [chance.choice(module.bodies) for _ in range(COUNT)]
    addresses = sorted({chance.randrange(body.code, body.end) - code for body in bodies})
    asked = "\n".join(map(hex, addresses))
    said = subprocess.run(
        [*COMMAND, f"--obj={path}"], input=asked, capture_output=True, text=True, check=True
    )
    found = (json.loads(line) for line in said.stdout.splitlines())
    return {each["Address"]: [_frame(frame) for frame in each["Symbol"]] for each in found}


def _frame(frame: dict[str, object]) -> str:
    return f"{normpath(str(frame['FileName']))}:{frame['Line']}:{frame['Column']}" if frame["Line"] else ""


if __name__ == "__main__":
    told = {path.name: places(path) for path in sorted(HERE.glob("*.O?.wasm"))}
    text = json.dumps(told, indent=0, sort_keys=True)
    (HERE / "symbolized.json").write_text(text + "\n")
