"""Sizes, docstrings and names: what keeps the code readable for whoever comes next."""

import ast
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGES = ("gateway", "schema", "resolvers")
FILES = sorted(file for package in (*PACKAGES, "tests", "bench") for file in (ROOT / package).rglob("*.py"))
SOURCES = [file for file in FILES if file.relative_to(ROOT).parts[0] in PACKAGES]
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 50
ENDS = (".", ":", ";", ",", "`")
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


class Facts(NamedTuple):
    """What the tests ask of a file: it is parsed and walked once."""

    lines: int
    docstring: str
    function_lines: dict[str, int]
    """By name and first line: the lines of the body without its docstring."""
    catches_everything: bool
    names_a_role: bool


@cache
def read(file: Path) -> Facts:
    text = file.read_text(encoding="utf-8")
    module = ast.parse(text)
    functions: dict[str, int] = {}
    catches = roles = False
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            functions[f"{node.name}:{node.lineno}"] = count_lines(node)
        elif isinstance(node, ast.ExceptHandler):
            is_whole = node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception")
            catches = catches or is_whole
        elif isinstance(node, ast.Attribute):
            roles = roles or (isinstance(node.value, ast.Name) and node.value.id == "Role")
    return Facts(len(text.splitlines()), ast.get_docstring(module) or "", functions, catches, roles)


def count_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_no_file_grows_too_long() -> None:
    assert {named(file): read(file).lines for file in FILES if read(file).lines > MAX_FILE_LINES} == {}


def test_no_function_grows_too_long() -> None:
    lines = {f"{named(file)}:{name}": count for file in FILES for name, count in read(file).function_lines.items()}
    assert {name: count for name, count in lines.items() if count > MAX_FUNCTION_LINES} == {}


def test_every_module_opens_with_its_job() -> None:
    first_lines = {named(file): read(file).docstring.partition("\n")[0] for file in FILES}
    unfinished = {name: line for name, line in first_lines.items() if line[-1:] not in ENDS and len(line) <= 60}
    assert unfinished == {}


def test_the_wheel_holds_the_product_alone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert tuple(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES


def test_nothing_has_a_name_that_says_nothing() -> None:
    assert not [file for file in FILES if {file.stem, file.parent.name} & FORBIDDEN]


def test_tests_are_no_packages() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


def list_top_level() -> set[str]:
    """The project's entries; files that a reader of the README writes beside them are not the project's.

    Without git, as in an unpacked archive, folders alone: the README tells nobody to make one.
    """
    command = ["git", "ls-files", "-z"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        entries = set[str]()
    else:
        entries = {path.partition("/")[0] for path in done.stdout.split("\0") if path}
    if not entries:
        entries = {entry.name for entry in ROOT.iterdir() if entry.is_dir()} - {"build", "dist"}
    return {entry for entry in entries if not entry.startswith(".")}


def test_the_top_level_holds_what_was_agreed() -> None:
    assert list_top_level() - TOP_LEVEL == set()


def test_exceptions_are_caught_whole_at_the_edge_alone() -> None:
    edge = {"gateway/http/answer.py", "gateway/worker.py"}
    edge |= {"gateway/executor/run.py", "gateway/executor/steps.py"}  # a field's failure is an error of the answer
    catching = {named(file) for file in SOURCES if read(file).catches_everything}
    assert catching == edge


def test_roles_are_decided_upon_in_the_policy_alone() -> None:
    allowed = {"resolvers/policy.py", "resolvers/domain/vocabulary.py", "gateway/auth/tokens.py", "gateway/cli/demo.py"}
    allowed |= {"resolvers/demonstration/synthetic.py"}  # says who made a synthetic hand-over
    deciding = {named(file) for file in SOURCES if read(file).names_a_role}
    assert deciding - allowed <= {"resolvers/viewer.py"}
