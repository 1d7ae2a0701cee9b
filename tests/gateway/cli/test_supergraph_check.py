"""`satugraf supergraph check`, contract variants, places, and configurations that mean harm."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli import app

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@tag", "@authenticated"])\n'
)
NATIONAL = LINK + 'type Query { complaint: Complaint } type Complaint @key(fields: "id") { id: ID! title: String }'
AGENCY = LINK + 'type Complaint @key(fields: "id") { id: ID! road: Int width(unit: String): Int }'


def run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["supergraph", *words], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def config(tmp_path: Path) -> str:
    for name, sdl in {"national": NATIONAL, "agency": AGENCY}.items():
        (tmp_path / f"{name}.graphql").write_text(sdl)
    rows = "".join(f"  {name}: {{schema: {{file: {name}.graphql}}}}\n" for name in ("national", "agency"))
    file = tmp_path / "supergraph.yaml"
    file.write_text(f"subgraphs:\n{rows}")
    return str(file)


def checked(config: str, sdl: str) -> tuple[int, dict[str, Any]]:
    changed = Path(config).parent / "changed.graphql"
    changed.write_text(LINK + sdl)
    code, printed, _ = run("check", "--config", config, "--name", "agency", "--schema", str(changed), "--json")
    return code, json.loads(printed)


def test_a_field_that_is_gone_breaks_operations(config: str) -> None:
    code, outcome = checked(config, 'type Complaint @key(fields: "id") { id: ID! width(unit: String): Int }')
    assert code == 1
    assert [row["code"] for row in outcome["breaking_changes"]] == ["FIELD_REMOVED"]
    assert "road" in outcome["breaking_changes"][0]["message"]


def test_a_field_more_breaks_nothing(config: str) -> None:
    code, outcome = checked(config, AGENCY.removeprefix(LINK) + " extend type Complaint { length: Int }")
    assert (code, outcome["ok"], outcome["errors"], outcome["breaking_changes"]) == (0, True, [], [])


def test_what_does_not_compose_says_where(config: str) -> None:
    code, outcome = checked(config, 'type Complaint @key(fields: "nothing") { id: ID! }')
    assert code == 1
    [error] = outcome["errors"]
    assert error["code"] == "KEY_INVALID_FIELDS"
    assert error["locations"] == [{"subgraph": "agency", "line": 2, "column": 6}]


def test_a_subgraph_that_goes_takes_its_fields_along(config: str) -> None:
    code, printed, _ = run("check", "--config", config, "--name", "agency")
    assert code == 1
    assert "FIELD_REMOVED" in printed
    code, _, complaint = run("check", "--config", config, "--name", "nobody")
    assert code == 1
    assert "nobody" in complaint


def test_the_help_teaches() -> None:
    told = run("check", "--help")[1]
    assert all(word in told for word in ("--config", "--name", "--schema", "Exit code 1", "Dangerous"))


def test_a_variant_shows_less(config: str, tmp_path: Path) -> None:
    (tmp_path / "agency.graphql").write_text(AGENCY.replace("road: Int", 'road: Int @tag(name: "internal")'))
    words = ("compose", "--config", config, "--exclude-tag", "internal", "--format", "json")
    outcome = json.loads(run(*words)[1])
    assert "road" not in outcome["api_schema"]
    assert "road" in outcome["supergraph"]


def test_hints_come_as_json(config: str, tmp_path: Path) -> None:
    (tmp_path / "agency.graphql").write_text(AGENCY + " enum Unused { A }")
    [hint] = json.loads(run("compose", "--config", config, "--format", "json")[1])["hints"]
    assert (hint["code"], hint["level"], hint["subgraphs"]) == ("UNUSED_ENUM_TYPE", "DEBUG", ["agency"])
    assert hint["locations"][0]["subgraph"] == "agency"


@pytest.mark.parametrize(
    "yaml",
    [
        b"",
        b"\xff\xfe\x00",
        b"subgraphs: [",
        b"subgraphs: {a: {schema: {file: nowhere.graphql}}}",
        b"subgraphs: {a: {schema: {file: .}}}",
        b"subgraphs: {a: 3}",
        b"subgraphs: {a: {schema: {sdl: 3}}}",
        b"a: &a [x, x]\nb: &b [*a, *a]\nsubgraphs: *b",
        b"subgraphs: !!python/object/apply:os.system [id]",
        b"[" * 100_000,
        b"subgraphs: {2020-01-99: 1}",
    ],
    ids=lambda text: str(len(text)),
)
def test_a_broken_configuration_is_told_in_a_sentence(tmp_path: Path, yaml: bytes) -> None:
    file = tmp_path / "supergraph.yaml"
    file.write_bytes(yaml)
    code, _, complaint = run("compose", "--config", str(file))
    assert code == 1
    assert complaint.strip()
    assert "Traceback" not in complaint


@pytest.mark.parametrize("sdl", [b"", b"\xff\xfe", b"type Query {"], ids=lambda text: str(len(text)))
def test_a_broken_schema_is_told_in_a_sentence(config: str, tmp_path: Path, sdl: bytes) -> None:
    (tmp_path / "agency.graphql").write_bytes(sdl)
    code, _, complaint = run("compose", "--config", config)
    assert code == 1
    assert "agency" in complaint


def test_what_is_taken_from_a_context_is_told_with_the_plan(config: str, tmp_path: Path) -> None:
    imports = LINK.replace('"@key"', '"@key", "@context", "@fromContext"')
    (tmp_path / "agency.graphql").write_text(
        imports + 'type Complaint @key(fields: "id") @context(name: "c") { id: ID! name: String visit: Visit }'
        'type Visit @key(fields: "id") { id: ID! for(name: String @fromContext(field: "$c { name }")): Int }'
    )
    assert run("compose", "--config", config)[0] == 0
    query = tmp_path / "query.graphql"
    query.write_text("{ complaint { visit { for } } }")
    code, told, _ = run("plan", "--config", config, "--query", str(query))
    assert code == 0
    assert "Context(type: 'String') { name }" in told
