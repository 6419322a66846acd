"""What tests reach of their plugins, in one file."""

from __future__ import annotations

from projects import Project

from simwasm.coverage.file import read

_TEST = """
    import pytest

    @pytest.mark.parametrize("headers", [{}, {"allow": "true"}], ids=["denied", "allowed"])
    def test(plugin, headers):
        plugin.send("GET", "/", headers=headers)
"""


def test_a_file_tells_what_the_tests_reached(project: Project) -> None:
    project.write("test_it.py", _TEST)
    assert project.run("--simwasm-coverage=it.cov").outcomes == {"passed": 2}
    (covered,) = read(project.path / "it.cov")
    assert covered.name == "allow"
    assert covered.callbacks["proxy_on_request_headers"] == 2


def test_a_folder_that_there_is_not_is_a_usage_error(project: Project) -> None:
    project.write("test_it.py", _TEST)
    ran = project.run("--simwasm-coverage=gone/it.cov")
    assert ran.ret == 4
    assert "there is no folder" in ran
