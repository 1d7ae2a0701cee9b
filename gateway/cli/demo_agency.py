"""`satugraf demo --with-agency`: runs and publishes Badung's own subgraph, and shows a query over both graphs."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

if TYPE_CHECKING:
    import aiohttp

EXAMPLE: Final = Path(__file__).parents[2] / "docs" / "examples" / "agency-subgraph" / "app.py"
AGENCY: Final = "kab-badung"
PUBLISH_SECONDS: Final = 60

PUBLISH: Final = """mutation ($input: PublishSubgraphInput!) {
  publishSubgraph(input: $input) { subgraph { version } userErrors { message } } }"""
CROSSING: Final = """{
  complaints(first: 2, filter: { holder: "kab-badung" }) {
    nodes {
      id
      title
      holder { name }
      kabBadungSurvey
      localCase { __typename number ... on KabBadungLocalCase { visits(first: 2) { on finding } } }
    }
  }
}"""


async def join_demo(gateway: str, tokens: Mapping[str, str]) -> None:
    """Runs the agency's process until it is cancelled; publishes its subgraph and prints query, answer and plan."""
    import aiohttp

    console = Console()
    if not EXAMPLE.exists():
        console.print(f"{EXAMPLE} does not exist: --with-agency needs a checkout of the project.")
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    keys_url = f"{gateway}/.well-known/jwks.json"
    try:
        async with run_agency(port, keys_url) as process:
            async with asyncio.timeout(PUBLISH_SECONDS), aiohttp.ClientSession() as session:
                await _publish(session, gateway, f"http://127.0.0.1:{port}/graphql", tokens["AGENCY_ADMIN"])
                await _show(session, gateway, tokens["NATIONAL_ADMIN"], console)
            console.print(
                f"\n[bold]Take it away[/bold]: kill {process.pid}; its fields become null, everything else works on."
            )
            command = f"SATUGRAF_KEYS_URL={keys_url} {sys.executable} {EXAMPLE} {port}"
            console.print("[bold]Bring it back[/bold]:")
            console.print(command, markup=False, highlight=False, soft_wrap=True)
            await process.wait()
    except (TimeoutError, KeyError) as failure:
        console.print(f"The agency's subgraph was not published ({type(failure).__name__}).")


@asynccontextmanager
async def run_agency(port: int, keys_url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Runs the agency's process, and yields it when it listens. `keys_url` is the URL of the gateway's public keys."""
    environment = {**os.environ, "SATUGRAF_KEYS_URL": keys_url}
    process = await asyncio.create_subprocess_exec(sys.executable, str(EXAMPLE), str(port), env=environment)
    try:
        await _wait_until_listening("127.0.0.1", port)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _publish(session: "aiohttp.ClientSession", gateway: str, url: str, token: str) -> None:
    await _wait_until_listening(*_split_address(gateway))
    sdl = (EXAMPLE.parent / "schema.graphql").read_text(encoding="utf-8")
    variables = {"input": {"agency": AGENCY, "url": url, "sdl": sdl}}
    await _query(session, gateway, PUBLISH, variables, token)


def _split_address(gateway: str) -> tuple[str, int]:
    host, _, port = gateway.removeprefix("http://").rpartition(":")
    return host, int(port)


async def _wait_until_listening(host: str, port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        await writer.wait_closed()
        return


async def _show(session: "aiohttp.ClientSession", gateway: str, token: str, console: Console) -> None:
    answer = await _query(session, gateway, CROSSING, {}, token)
    while "data" not in answer:  # until the process serves the published version
        await asyncio.sleep(0.2)
        answer = await _query(session, gateway, CROSSING, {}, token)
    plan = answer.get("extensions", {}).get("queryPlan")
    for title, text in (
        ("One query", CROSSING),
        ("Its answer", _to_json(answer["data"])),
        ("Its plan", _to_json(plan)),
    ):
        console.print(f"\n[bold]{title}[/bold]")
        console.print(text, markup=False, highlight=False, soft_wrap=True)


def _to_json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)


async def _query(session: "aiohttp.ClientSession", gateway: str, query: str, variables: Any, token: str) -> Any:
    headers = {"authorization": f"Bearer {token}", "x-satugraf-query-plan": "1"}
    body = {"query": query, "variables": variables}
    async with session.post(f"{gateway}/graphql", json=body, headers=headers) as response:
        return await response.json()
