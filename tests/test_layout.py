"""Sizes, docstrings and names: what keeps the code readable for whoever comes next."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("gateway", "schema", "resolvers")
FILES = sorted(file for package in (*PACKAGES, "tests", "bench") for file in (ROOT / package).rglob("*.py"))
SOURCES = [file for file in FILES if file.relative_to(ROOT).parts[0] in PACKAGES]
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 50
FORBIDDEN = {"utils", "util", "helpers", "common", "base", "manager", "service", "misc"}
TOP_LEVEL = {
    "gateway",
    "schema",
    "resolvers",
    "tests",
    "docs",
    "bench",
    "pyproject.toml",
    "docker-compose.yml",
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "LICENSE",
    "NOTICE",
}


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("file", FILES, ids=named)
def test_no_file_and_no_function_grows_too_long(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES
    for function in functions(file):
        body = function.body[1:] if ast.get_docstring(function) else function.body
        if body:
            assert (body[-1].end_lineno or 0) - body[0].lineno < MAX_FUNCTION_LINES, function.name


@pytest.mark.parametrize("file", FILES, ids=named)
def test_every_module_opens_with_its_job(file: Path) -> None:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    assert docstring
    assert docstring.splitlines()[0][-1] in ".:;,`" or len(docstring.splitlines()[0]) > 60


def test_the_wheel_holds_the_product_alone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert tuple(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES


def test_nothing_has_a_name_that_says_nothing() -> None:
    assert not [file for file in FILES if {file.stem, file.parent.name} & FORBIDDEN]


def test_tests_are_no_packages() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_the_top_level_holds_what_was_agreed() -> None:
    entries = {entry.name for entry in ROOT.iterdir() if not entry.name.startswith(".")}
    assert entries - {"build", "dist"} <= TOP_LEVEL


def test_exceptions_are_caught_whole_at_the_edge_alone() -> None:
    edge = {"gateway/http/answer.py", "gateway/worker.py"}
    edge |= {"gateway/executor/run.py", "gateway/executor/steps.py"}  # a field's failure is an error of the answer
    catching = {
        named(file)
        for file in SOURCES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception"))
    }
    assert catching == edge


def test_roles_are_decided_upon_in_the_policy_alone() -> None:
    allowed = {"resolvers/policy.py", "resolvers/domain/vocabulary.py", "gateway/auth/tokens.py", "gateway/cli/demo.py"}
    allowed |= {"resolvers/demonstration/synthetic.py"}  # says who made a synthetic hand-over
    deciding = {
        named(file)
        for file in SOURCES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Role"
    }
    assert deciding - allowed <= {"resolvers/viewer.py"}
