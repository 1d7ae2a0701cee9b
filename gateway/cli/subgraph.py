"""`satugraf subgraph …`: checks, publishes, lists and retires agencies' subgraphs of a running gateway."""

import asyncio
import os
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.cli.failure import fail, report_failures

commands = typer.Typer(
    no_args_is_help=True,
    help="Check, publish, list and retire agencies' subgraphs of a running gateway.\n\n"
    "Set SATUGRAF_TOKEN to a bearer token of the agency's admin.",
)

ANSWER_SECONDS: Final = 60
FINDINGS: Final = "findings { kind code message coordinate uses }"
PLANS: Final = "plans { operation uses fetchesBefore fetchesAfter subgraphsBefore subgraphsAfter }"
SHOWN_CHARACTERS: Final = 120

Gateway = Annotated[str, typer.Option(help="URL of the gateway's /graphql.", envvar="SATUGRAF_GATEWAY_URL")]
Agency = Annotated[str, typer.Option(help="Id of the agency, for example kab-badung.")]
Schema = Annotated[Path, typer.Option(help="File with the subgraph's SDL.")]
Expected = Annotated[int | None, typer.Option(help="Live version that you expect. Refuse if another one is live.")]
LOCAL: Final = "http://127.0.0.1:8000/graphql"


@commands.command()
def check(agency: Agency, schema: Schema, gateway: Gateway = LOCAL) -> None:
    """Check what publishing would do, and change nothing. Exit code 1 if it would be refused.

    [bold]Example[/bold]: satugraf subgraph check --agency kab-badung --schema badung.graphql
    """
    variables = {"agency": agency, "sdl": _read_text(schema)}
    done = _mutate(gateway, "checkSubgraph", variables, f"ok {FINDINGS} {PLANS}")
    _show_findings(done["findings"])
    _show_plans(done["plans"])
    if not done["ok"]:
        raise typer.Exit(1)
    Console().print("It can be published.", style="green")


@commands.command()
def publish(
    agency: Agency,
    url: Annotated[str | None, typer.Option(help="URL at which the gateway queries the subgraph.")] = None,
    schema: Annotated[Path | None, typer.Option(help="File with the subgraph's SDL.")] = None,
    version: Annotated[
        int | None, typer.Option(help="Publish this earlier version again, instead of --url and --schema.")
    ] = None,
    expected_version: Expected = None,
    gateway: Gateway = LOCAL,
) -> None:
    """Publish a subgraph: the gateway serves it at once. Exit code 1 if it is refused.

    [bold]Example[/bold]: satugraf subgraph publish --agency kab-badung --url https://api.badungkab.go.id/graphql
    --schema badung.graphql
    """
    sdl = None if schema is None else _read_text(schema)
    variables = {"agency": agency, "url": url, "sdl": sdl, "version": version, "expectedVersion": expected_version}
    done = _mutate(gateway, "publishSubgraph", variables, f"subgraph {{ version }} {FINDINGS}")
    _show_findings(done["findings"] or [])
    Console().print(f"{agency} is live at version {done['subgraph']['version']}.", style="green")


@commands.command(name="list")
def list_(gateway: Gateway = LOCAL) -> None:
    """List the live subgraphs."""
    query = "{ supergraph { version } subgraphs { id version publishedAt url } }"
    data = _query(gateway, query, {})
    table = Table("agency", "version", "published", "url", title=f"Supergraph {data['supergraph']['version']}")
    for row in data["subgraphs"]:
        table.add_row(row["id"], str(row["version"]), row["publishedAt"], row["url"] or "")
    Console().print(table)


@commands.command()
def retire(
    agency: Agency,
    expected_version: Expected = None,
    gateway: Gateway = LOCAL,
) -> None:
    """Take a subgraph out of the graph. Its versions are kept and can be published again."""
    variables = {"agency": agency, "expectedVersion": expected_version}
    done = _mutate(gateway, "retireSubgraph", variables, "subgraph { version }")
    Console().print(f"{agency} has left the graph; version {done['subgraph']['version']} was the last.", style="green")


def _read_text(schema: Path) -> str:
    with report_failures():
        try:
            return schema.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            fail(f"{schema} is not text in UTF-8.")


def _mutate(gateway: str, name: str, variables: dict[str, Any], selection: str) -> Any:
    type_name = name[0].upper() + name[1:] + "Input"
    document = (
        f"mutation ($input: {type_name}!) {{ done: {name}(input: $input) {{ {selection} userErrors {{ message }} }} }}"
    )
    done = _query(gateway, document, {"input": variables})["done"]
    if done["userErrors"]:
        fail("\n".join(error["message"] for error in done["userErrors"]))
    return done


def _query(gateway: str, document: str, variables: dict[str, Any]) -> Any:
    import aiohttp

    try:
        answer = asyncio.run(_post(gateway, {"query": document, "variables": variables}))
    except (aiohttp.ClientError, TimeoutError, ValueError) as failure:
        fail(f"{gateway} does not answer ({type(failure).__name__}): give the URL of its /graphql with --gateway.")
    if not isinstance(answer, dict) or answer.get("errors") or not isinstance(answer.get("data"), dict):
        errors = answer.get("errors") if isinstance(answer, dict) else None
        fail("\n".join(str(error.get("message")) for error in errors or [{"message": f"{gateway} is not a gateway."}]))
    return answer["data"]


async def _post(gateway: str, body: dict[str, Any]) -> Any:
    import aiohttp

    token = os.environ.get("SATUGRAF_TOKEN")
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
        session.post(gateway, json=body) as answer,
    ):
        return await answer.json(content_type=None)


def _show_findings(findings: list[dict[str, Any]]) -> None:
    if not findings:
        return
    table = Table("kind", "code", "what", "uses in 7 days")
    for row in findings:
        table.add_row(row["kind"], row["code"], escape(row["message"]), "" if row["uses"] is None else str(row["uses"]))
    Console().print(table)


def _show_plans(plans: list[dict[str, Any]]) -> None:
    """Shows only plans that would change."""
    changed = [row for row in plans if _describe_plan(row, "Before") != _describe_plan(row, "After")]
    if plans and not changed:
        Console().print(f"The plans of the {len(plans)} most used operations do not change.")
    if changed:
        table = Table("operation", "uses in 7 days", "requests before", "after", title="Plans that would change")
        for row in changed:
            text = row["operation"]
            shown = text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
            table.add_row(escape(shown), str(row["uses"]), _describe_plan(row, "Before"), _describe_plan(row, "After"))
        Console().print(table)


def _describe_plan(row: dict[str, Any], when: str) -> str:
    fetches = row[f"fetches{when}"]
    return "not valid" if fetches is None else f"{fetches}: {', '.join(row[f'subgraphs{when}'])}"
