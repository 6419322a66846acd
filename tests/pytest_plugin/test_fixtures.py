"""The fixtures: which plugin a test gets, and what it is told when there is none."""

from __future__ import annotations

import pytest
from projects import Project, Reports, reports

_TESTS = """
def test_configured(plugin):
    assert plugin.send("GET", "/").response.status == 403

@pytest.mark.simwasm("config.wasm", config={"header": "x-by", "value": "me"})
def test_marked(plugin):
    assert plugin.name == "config"

@pytest.mark.simwasm(name="class", log_level="error")
class TestIt:
    @pytest.mark.simwasm(name="nearest")
    def test_nearest(self, plugin):
        assert plugin.name == "nearest"
        assert not plugin.send("GET", "/").logs

class TestOwn:
    @pytest.fixture
    def plugin(self, simwasm_plugin):
        return simwasm_plugin("allow.wasm", name="own")

    def test_own(self, plugin):
        assert plugin.name == "own"

kept = []

def test_first(plugin):
    plugin.send("GET", "/")
    kept.append(plugin)

def test_second():
    with pytest.raises(Exception, match="closed"):
        kept[0].send("GET", "/")

def test_engine(plugin, simwasm_engine):
    assert plugin.engine == simwasm_engine == "wasmtime"

@pytest.mark.simwasm("gone.wasm")
def test_gone(plugin):
    pass

@pytest.mark.simwasm(confg="x")
def test_slip(plugin):
    pass

@pytest.mark.simwasm("a.wasm", "b.wasm")
def test_two(plugin):
    pass
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, imported: None) -> Reports:
    """A run of all of these."""
    return reports(tmp_path_factory.mktemp("fixtures"), _TESTS, "--simwasm-engine=wasmtime")


PASS = {
    "test_configured": "the plugin of the configuration",
    "test_marked": "the plugin of a mark, with its configuration",
    "TestIt::test_nearest": "options of several marks come together, and the nearest counts",
    "TestOwn::test_own": "a fixture of the project takes the place of ours",
    "test_second": "a plugin is closed behind its test",
    "test_engine": "the engine that was asked for",
}


@pytest.mark.parametrize("name", PASS, ids=PASS.values())
def test_a_test_gets_what_it_asks_for(ran: Reports, name: str) -> None:
    assert name in ran.passed


def test_a_missing_file_is_told_without_a_traceback(ran: Reports) -> None:
    assert ran.failed["test_gone"].startswith(
        "test_it.py::test_gone: gone.wasm: cannot be read: No such file or directory"
    )


def test_an_option_that_there_is_not_is_told_with_the_nearest(ran: Reports) -> None:
    assert "did you mean `config`?" in ran.failed["test_slip"]


def test_a_mark_with_two_paths_is_told_how_to_be_written(ran: Reports) -> None:
    assert "@pytest.mark.simwasm takes one path, and options by name" in ran.failed["test_two"]


def test_a_file_is_looked_for_beside_the_test_before_the_rootdir(project: Project) -> None:
    (project.path / "deep").mkdir()
    (project.path / "deep" / "auth.wasm").symlink_to((project.path / "allow.wasm").resolve())
    ran = project.test(
        """
        @pytest.mark.simwasm("auth.wasm")
        def test_beside(plugin):
            assert plugin.send("GET", "/").response.status == 403

        @pytest.mark.simwasm("config.wasm")
        def test_in_the_rootdir(plugin):
            assert plugin.name == "config"
        """,
        name="deep/test_it.py",
    )
    assert ran.outcomes == {"passed": 2}


def test_a_configuration_in_a_file_is_looked_for_likewise(project: Project) -> None:
    project.write("deep/plugin.json", '{"header": "x-by", "value": "file"}')
    ran = project.test(
        """
        @pytest.mark.simwasm("config.wasm", config="@plugin.json")
        def test(plugin):
            plugin.upstream().replies(200)
            plugin.send("GET", "/")
            assert plugin.trace.has('value~"x-by"')
        """,
        name="deep/test_it.py",
    )
    assert ran.outcomes == {"passed": 1}


def test_answers_and_other_files_are_looked_for_likewise(project: Project) -> None:
    project.write("below/answers.json", '[{"reply": {"status": 403}}]')
    project.write("below/reset/kept", "a folder is no script")
    project.write(
        "below/test_below.py",
        """
        import pytest

        @pytest.mark.parametrize("said, status", [
            ({"auth": "answers.json"}, 403), (["auth=answers.json"], 403), ("auth=reset", 403), ({"auth": 200}, 200),
        ])
        def test(simwasm_plugin, said, status):
            plugin = simwasm_plugin("auth.wasm", callout=said, source_map="/build=reset")
            assert plugin.send("GET", "/").response.status == status
        """,
    )
    assert project.run().outcomes == {"passed": 4}


def test_without_any_plugin_it_is_told_where_one_can_be_said(project: Project) -> None:
    project.write("pytest.ini", "[pytest]\n")
    ran = project.test("def test(plugin): pass\n")
    assert ran.outcomes == {"errors": 1}
    assert "test_it.py::test: which plugin? Say it in one of these places:" in ran
    assert '@pytest.mark.simwasm("plugin.wasm")' in ran


def test_all_engines_make_a_test_of_each(project: Project) -> None:
    ran = project.test(
        "def test(plugin):\n    plugin.send('GET', '/')\n\ndef test_other(): pass\n",
        "--simwasm-engine=all",
        "-v",
    )
    assert "test_it.py::test_other PASSED" in ran
    assert "test_it.py::test[wasmtime] PASSED" in ran
    assert "test_it.py::test[python] PASSED" in ran


def test_an_engine_that_there_is_not_is_a_usage_error(project: Project) -> None:
    ran = project.test("def test(): pass\n", "--simwasm-engine=wasmr")
    assert ran.ret == 4
    assert "--simwasm-engine=wasmr: no engine is called wasmr; known are wasmer, wasmtime, python" in ran


def test_the_configuration_names_the_engine_too(project: Project) -> None:
    project.write("pytest.ini", "[pytest]\nsimwasm_plugin = allow.wasm\nsimwasm_engine = wasmtime\n")
    ran = project.test("def test(plugin):\n    assert plugin.engine == 'wasmtime'\n")
    assert ran.outcomes == {"passed": 1}


def test_a_project_without_plugins_under_test_notices_nothing(project: Project) -> None:
    ran = project.test("def test():\n    assert {'a': 1} == {'a': 2}\n")
    assert ran.outcomes == {"failed": 1}
    assert "simwasm" not in ran.text.replace("simwasm-0.1.0", "")


def test_who_does_not_ask_for_simwasm_does_not_import_it(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import sys

        def test():
            ours = {name for name in sys.modules if name.startswith("simwasm") and "pytest_plugin" not in name}
            assert ours == {"simwasm", "simwasm.keeping"}

        def test_that_fails():
            assert {1} == {2}
        """,
    )
    ran = project.run_apart("-p", "no:xdist")
    assert ran.outcomes == {"passed": 1, "failed": 1}
