"""Goldens of tests: made, matched, mismatched, updated, missing, broken, and those that nobody asks for any more."""

from __future__ import annotations

from textwrap import dedent

from projects import Project

_TEST = """
    def test(plugin):
        assert plugin.send("GET", "/").trace.matches_golden()
"""
_ALLOWED = _TEST.replace('"/"', '"/", headers={"allow": "true"}')
_GOLDEN = "goldens/test_it/test.jsonl"


def test_a_missing_golden_fails_and_says_how_it_is_written(project: Project) -> None:
    ran = project.test(_TEST)
    assert ran.outcomes == {"failed": 1}
    assert f"there is no golden {_GOLDEN} yet: `pytest --update-goldens` writes it" in ran
    assert not project.files("goldens")


def test_what_differs_fails_without_an_assert_too(project: Project) -> None:
    project.test(_TEST, "--update-goldens")
    ran = project.test(_ALLOWED.replace("assert ", ""))
    assert ran.outcomes == {"failed": 1}
    assert f"{_GOLDEN}:" in ran.why()


def test_the_debugger_is_sent_to_the_row_that_differs(project: Project) -> None:
    project.test(_TEST, "--update-goldens")
    path = project.path / _GOLDEN
    path.write_text(path.read_text().replace('"result": "PAUSE"', '"result": "CONTINUE"'))
    assert "test.trace.jsonl --row 16\n" in project.run()


def test_a_golden_is_written_and_told_of(project: Project) -> None:
    ran = project.test(_TEST, "--update-goldens")
    assert ran.outcomes == {"passed": 1}
    assert f"1 golden written anew\n  {_GOLDEN}" in ran
    head, *_ = (project.path / _GOLDEN).read_text().splitlines()
    assert '"test": "test_it.py::test"' in head


def test_a_run_that_does_the_same_matches_and_is_not_written_again(project: Project) -> None:
    project.test(_TEST, "--update-goldens")
    assert project.run().outcomes == {"passed": 1}
    assert "every golden is as it was" in project.run("--update-goldens")


def test_a_run_that_does_something_else_is_told_in_words_until_that_is_written(project: Project) -> None:
    project.test(_TEST, "--update-goldens")
    ran = project.test(_ALLOWED)
    assert ran.outcomes == {"failed": 1}
    assert [
        told
        for told in (_GOLDEN, "num_headers: 6 -> 7", "`pytest --update-goldens`")
        if told not in ran.why()
    ] == []
    assert "1 golden written anew" in project.run("--update-goldens")
    assert project.run().outcomes == {"passed": 1}


def test_engines_share_a_golden(project: Project) -> None:
    project.test(_TEST, "--update-goldens", "--simwasm-engine=all")
    assert project.files("goldens") == ["test_it/test.jsonl"]
    assert set(project.run("--simwasm-engine=all").outcomes) == {"passed"}


def test_several_goldens_of_a_test_have_numbers_or_names(project: Project) -> None:
    project.test(
        """
        class TestIt:
            @pytest.mark.parametrize("path", ["/a/b"])
            def test(self, plugin, path):
                result = plugin.send("GET", path)
                assert result.trace.matches_golden()
                assert result.trace.matches_golden()
                assert result.trace.matches_golden("again")
        """,
        "--update-goldens",
    )
    stem = "test_it/TestIt.test[_a_b]~"
    digits = project.files("goldens")[0].removeprefix(stem)[:6]
    assert project.files("goldens") == [f"{stem}{digits}{end}.jsonl" for end in (".2", ".again", "")]


def test_a_name_twice_or_out_of_the_folder_is_refused(project: Project) -> None:
    ran = project.test(
        """
        def test_twice(plugin):
            trace = plugin.send("GET", "/").trace
            trace.matches_golden("a")
            trace.matches_golden("a")

        def test_out(plugin):
            plugin.send("GET", "/").trace.matches_golden("../x")
        """,
        "--update-goldens",
    )
    assert "the test has a golden 'a' already" in ran.why()
    assert "'../x' is no name for a golden" in ran.why()


def test_what_the_configuration_redacts_is_not_in_a_golden(project: Project) -> None:
    ini = (project.path / "pytest.ini").read_text()
    project.write("pytest.ini", ini + "simwasm_redact = header:server\n")
    project.test(_TEST, "--update-goldens")
    assert '["server", "envoy"]' not in (project.path / _GOLDEN).read_text()


def test_a_broken_golden_is_told_with_its_line(project: Project) -> None:
    project.test(_TEST, "--update-goldens")
    path = project.path / _GOLDEN
    path.write_text("".join(path.read_text().splitlines(True)[:3]) + "{oops\n")
    why = project.run().why()
    assert f"{_GOLDEN}: line 4 is not JSON" in why
    assert "`pytest --update-goldens` writes it anew" in why


def test_a_golden_of_another_plugin_is_told_so(project: Project) -> None:
    project.test(_TEST, "--update-goldens")
    mark = "pytestmark = pytest.mark.simwasm('config.wasm', config={'header': 'x-by', 'value': 'me'})"
    why = project.test(f"{mark}\n{dedent(_TEST)}").why()
    assert "it is the golden of allow (ABI 0.2.1), and config (ABI 0.2.1) was run" in why


def test_goldens_that_no_test_asks_for_are_told_and_stay(project: Project) -> None:
    project.test(_TEST, "--update-goldens")
    for name in ("test_it/test_gone.jsonl", "test_it/test.2.jsonl", "test_away/test.jsonl"):
        project.write(f"goldens/{name}", "{}\n")
    ran = project.run("--update-goldens")
    assert (
        """
3 goldens that no test asks for any more; remove them if that is right:
  goldens/test_away/test.jsonl
  goldens/test_it/test.2.jsonl
  goldens/test_it/test_gone.jsonl
"""
        in ran
    )
    assert len(project.files("goldens")) == 4


def test_goldens_of_tests_that_were_not_to_run_are_not_gone(project: Project) -> None:
    both = _TEST + _TEST.replace("def test(", "def test_other(")
    project.test(both, "--update-goldens")
    assert "asks for" not in project.run("--update-goldens", "-k", "other").text
    assert "asks for" not in project.run("--update-goldens", "test_it.py::test").text


def test_outside_of_pytest_there_are_no_goldens(project: Project) -> None:
    project.write(
        "plain.py",
        """
        from simwasm.keeping import keeper
        from simwasm.testing import load_plugin

        keeper.set(None)
        load_plugin("allow.wasm").send("GET", "/").trace.matches_golden()
        """,
    )
    ran = project.test(
        "import runpy, contextvars\ndef test():\n    contextvars.copy_context().run(runpy.run_path, 'plain.py')\n"
    )
    assert "goldens belong to tests that pytest runs" in ran.why()
