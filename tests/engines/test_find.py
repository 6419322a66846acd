"""Finding engines: the default, by name, and what to do when one does not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from simwasm.engines import find
from simwasm.engines.engine import Restorable
from simwasm.errors import EngineUnavailable, InputError

ROOT = Path(__file__).parents[2]
PYTHON_310 = sys.version_info[:2] == (3, 10)


def test_wasmer_is_the_default_where_it_loads() -> None:
    assert find.engine().name == ("wasmer" if PYTHON_310 else "wasmtime")


@pytest.mark.parametrize("name", ["wasmer", "wasmtime", "python"] if PYTHON_310 else ["wasmtime", "python"])
def test_an_engine_is_found_by_its_name(name: str) -> None:
    engine = find.engine(name)
    assert engine.name == name
    assert engine.version
    assert isinstance(engine, Restorable)


@pytest.mark.skipif(PYTHON_310, reason="wasmer loads on 3.10")
def test_wasmer_elsewhere_says_what_it_needs() -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    with pytest.raises(EngineUnavailable) as caught:
        find.engine("wasmer")
    assert str(caught.value) == f"wasmer needs Python 3.10 (this is {version}); try --engine wasmtime"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no engine is called v8; known are wasmer, wasmtime, python"):
        find.engine("v8")


def test_an_engine_that_is_not_installed_says_how_to_install_it() -> None:
    script = """
import sys
sys.modules["wasmtime"] = None
from simwasm.engines.find import engine
from simwasm.errors import EngineUnavailable, InputError
try:
    engine("wasmtime")
except EngineUnavailable as error:
    print(error)
"""
    assert "pip install 'wasmtime" in run(script)


def test_one_engine_does_not_import_the_other() -> None:
    script = """
import sys
from simwasm.engines.find import engine
print(engine().name, *sorted({"wasmer", "wasmtime", "importlib.metadata", "json"} & set(sys.modules)))
"""
    name, *others = run(script).split()
    assert "wasmtime" not in others if name == "wasmer" else "wasmer" not in others


def test_our_own_engine_is_the_last_choice_and_always_there() -> None:
    script = """
import sys
sys.modules["wasmer"] = sys.modules["wasmtime"] = None
from simwasm.engines.find import engine
print(engine().name)
"""
    assert run(script).strip() == "python"


def test_another_package_can_bring_an_engine(tmp_path: Path) -> None:
    (tmp_path / "other_engine.py").write_text("class Other:\n    name = 'other'\n    version = '1'\n")
    info = tmp_path / "other-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[simwasm.engines]\nother = other_engine:Other\n")
    script = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from simwasm.engines import find
print(find.engine("other").name, *find.names())
"""
    assert run(script).split() == ["other", "wasmer", "wasmtime", "python", "other"]


def test_the_package_announces_its_own_engines() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    _, _, rest = text.partition('[project.entry-points."simwasm.engines"]\n')
    rows = dict(
        line.replace('"', "").split(" = ") for line in rest.split("\n\n")[0].splitlines() if "=" in line
    )
    assert {name: place for name, place in rows.items() if name in find.OWN} == find.OWN


def run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
