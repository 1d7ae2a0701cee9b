"""`satugraf supergraph compose` and `plan`, and a router that composes by itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from support.far_end import run_server
from typer.testing import CliRunner

from gateway.cli import app
from gateway.federation.join import read_supergraph

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])\n'
NATIONAL = LINK + 'type Query { complaint: Complaint } type Complaint @key(fields: "id") { id: ID! title: String }'
AGENCY = LINK + 'type Complaint @key(fields: "id") { id: ID! roadNumber: Int }'


def run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(words), env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def write(folder: Path, **subgraphs: str) -> str:
    lines = ["subgraphs:"]
    for name, sdl in subgraphs.items():
        (folder / f"{name}.graphql").write_text(sdl)
        lines += [f"  {name}:", f"    routing_url: http://{name}", "    schema:", f"      file: {name}.graphql"]
    config = folder / "supergraph.yaml"
    config.write_text("\n".join(lines))
    return str(config)


def test_what_fits_together_is_written_and_can_be_read_again(tmp_path: Path) -> None:
    config = write(tmp_path, national=NATIONAL, agency=AGENCY)
    output = tmp_path / "supergraph.graphql"
    assert run("supergraph", "compose", "--config", config, "-o", str(output))[0] == 0
    read = read_supergraph(output.read_text())
    assert {name: subgraph.url for name, subgraph in read.subgraphs.items()} == {
        "agency": "http://agency",
        "national": "http://national",
    }
    code, printed, _ = run("supergraph", "compose", "--config", config)
    assert (code, printed.strip()) == (0, output.read_text().strip())


def test_the_outcome_comes_as_json_too(tmp_path: Path) -> None:
    code, printed, _ = run(
        "supergraph", "compose", "--config", write(tmp_path, a=NATIONAL, b=AGENCY), "--format", "json"
    )
    outcome = json.loads(printed)
    assert (code, outcome["ok"], outcome["errors"]) == (0, True, [])
    assert "roadNumber" in outcome["api_schema"]
    assert "join__Graph" in outcome["supergraph"]


def test_what_does_not_fit_says_why_and_where(tmp_path: Path) -> None:
    clash = LINK + 'type Complaint @key(fields: "id") { id: ID! title: Int @shareable }'
    config = write(tmp_path, national=NATIONAL.replace("String", "String @shareable"), agency=clash)
    code, printed, _ = run("supergraph", "compose", "--config", config, "--format", "json")
    outcome = json.loads(printed)
    assert (code, outcome["ok"], outcome["supergraph"]) == (1, False, None)
    assert {error["code"] for error in outcome["errors"]} == {"FIELD_TYPE_MISMATCH"}
    code, _, words = run("supergraph", "compose", "--config", config)
    assert code == 1
    assert "FIELD_TYPE_MISMATCH" in words
    assert "Complaint.title" in words


def test_a_plan_is_printed(tmp_path: Path) -> None:
    config = write(tmp_path, national=NATIONAL, agency=AGENCY)
    (tmp_path / "q.graphql").write_text("{ complaint { title roadNumber } }")
    code, printed, _ = run("supergraph", "plan", "--config", config, "--query", str(tmp_path / "q.graphql"))
    assert code == 0
    assert "service: 'agency', after: 0" in printed
    asked = ("supergraph", "plan", "--config", config, "--query", str(tmp_path / "q.graphql"), "--format", "json")
    node = json.loads(run(*asked)[1])["node"]
    assert (node["kind"], [fetch["serviceName"] for fetch in node["nodes"]]) == ("Sequence", ["national", "agency"])
    (tmp_path / "q.graphql").write_text("{ nothing }")
    code, _, words = run(*asked)
    assert (code, "nothing" in words) == (1, True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no subgraphs"),
        ("subgraphs: []", "no subgraphs"),
        ("subgraphs: {a: 5}", "subgraph a has no schema"),
        ("subgraphs: {a: {schema: {}}}", "one of file, sdl or subgraph_url"),
        ("subgraphs: {a: {schema: {file: none.graphql}}}", "none.graphql"),
        ("subgraphs: {a: {schema: {subgraph_url: 'http://127.0.0.1:1/'}}}", "cannot be read"),
        ("a: b: c", "is not YAML"),
    ],
)
def test_a_wrong_configuration_is_told_in_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    config = tmp_path / "supergraph.yaml"
    config.write_text(text)
    for command in (("supergraph", "compose"), ("router",)):
        code, _, told = run(*command, "--config", str(config))
        assert code == 1
        assert words in told


def test_a_router_is_given_one_of_both(tmp_path: Path) -> None:
    assert run("router")[0] == 1
    assert run("router", "--config", "a", "--supergraph", "b")[0] == 1


async def test_a_running_subgraph_is_asked_for_its_schema(tmp_path: Path) -> None:
    import asyncio

    async def answer(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        return web.json_response({"data": {"_service": {"sdl": NATIONAL}}})

    async with run_server(answer) as url:
        config = tmp_path / "supergraph.yaml"
        config.write_text(f"subgraphs: {{national: {{schema: {{subgraph_url: '{url}'}}}}}}")
        code, printed, words = await asyncio.to_thread(run, "supergraph", "compose", "--config", str(config))
    assert code == 0, words
    assert url in printed


def a_query(folder: Path, text: str) -> str:
    file = folder / "operation.graphql"
    file.write_text(text)
    return str(file)


def planned(folder: Path, text: str, *words: str) -> tuple[int, str, str]:
    config = write(folder, national=NATIONAL, agency=AGENCY)
    return run("supergraph", "plan", "--config", config, "--query", a_query(folder, text), *words)


QUERY = "query Q($yes: Boolean!) { complaint { ...F } } fragment F on Complaint { title roadNumber @include(if: $yes) }"


def phase(folder: Path, name: str) -> Any:
    code, printed, _ = planned(folder, QUERY, "--phase", name, "--format", "json")
    assert code == 0
    code, words, _ = planned(folder, QUERY, "--phase", name)
    assert (code, "roadNumber" in words) == (0, True)
    return json.loads(printed)


def test_each_phase_of_planning_can_be_seen(tmp_path: Path) -> None:
    condition = [{"variable": "yes", "is": True}]
    fields = [{"field": "title"}, {"field": "roadNumber", "if": condition}]
    assert phase(tmp_path, "operation") == {
        "kind": "Operation",
        "operation": "query",
        "selections": [{"field": "complaint", "selections": fields}],
    }
    paths = phase(tmp_path, "paths")
    assert (paths["kind"], paths["type"], [row["cost"] // 1000 for row in paths["paths"]]) == ("Paths", "Query", [2])
    [complaint] = paths["paths"][0]["moves"][0]["fields"]
    assert [(move["subgraph"], move["key"]) for move in complaint["moves"]] == [("agency", [{"field": "id"}])]
    fetches = phase(tmp_path, "fetches")["fetches"]
    assert [(row["subgraph"], row["after"], row["path"]) for row in fetches] == [
        ("national", [], []),
        ("agency", [0], ["complaint"]),
    ]
    assert fetches[1]["representation"] == [{"name": "id"}]
    node = phase(tmp_path, "plan")["node"]
    assert [row["kind"] for row in node["nodes"]] == ["Fetch", "Condition"]
    assert node["nodes"][1]["if"] == condition
    assert node["nodes"][1]["node"]["variableUsages"] == ["yes"]


def test_a_plan_can_be_made_from_a_supergraphs_sdl(tmp_path: Path) -> None:
    config, output = write(tmp_path, national=NATIONAL, agency=AGENCY), tmp_path / "supergraph.graphql"
    run("supergraph", "compose", "--config", config, "-o", str(output))
    words = ("supergraph", "plan", "--supergraph", str(output), "--query", a_query(tmp_path, QUERY))
    assert run(*words) == planned(tmp_path, QUERY)


def test_one_of_several_operations_is_chosen_by_name(tmp_path: Path) -> None:
    text = "query A { complaint { title } } query B { complaint { roadNumber } }"
    assert "2 operations" in planned(tmp_path, text)[2]
    assert "roadNumber" in planned(tmp_path, text, "--operation", "B")[1]
    assert "no operation 'C'" in planned(tmp_path, text, "--operation", "C")[2]


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("{ complaint { nothing } }", (), "operation.graphql:1:15: Cannot query field 'nothing'"),
        ("{ complaint {", (), "operation.graphql:1:14: Syntax Error"),
        ("", (), "Syntax Error"),
        ("{ complaint { id } }", ("--label", "new"), "No @override has the label 'new'. Known labels: none."),
        ("{ complaint { id } }", ("--supergraph", "x.graphql"), "either --config"),
    ],
)
def test_what_cannot_be_planned_says_why(tmp_path: Path, text: str, words: tuple[str, ...], said: str) -> None:
    code, printed, error = planned(tmp_path, text, *words)
    assert (code, printed) == (1, "")
    assert said in error


def test_a_query_file_that_is_none_is_refused(tmp_path: Path) -> None:
    config = write(tmp_path, national=NATIONAL, agency=AGENCY)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    for file, said in (("bytes", "UTF-8"), ("missing", "No such file")):
        code, _, error = run("supergraph", "plan", "--config", config, "--query", str(tmp_path / file))
        assert (code, said in error) == (1, True)


def test_the_phases_are_explained(tmp_path: Path) -> None:
    code, words, _ = run("supergraph", "plan", "--help")
    assert code == 0
    for word in ("operation", "paths", "fetches", "plan", "--phase", "--label", "Example"):
        assert word in words
