"""Renders tables for people and JSON for programs, and records tables in bench/README.md."""

import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

from bench.dataset import ROOT
from gateway.mongod import MongodUnavailable
from gateway.mongod.process import find_binary

PRODUCT: Final = ("gateway", "schema", "resolvers")
README: Final = ROOT / "bench" / "README.md"

_LIBRARIES: Final = ("strawberry-graphql", "graphql-core", "starlette", "uvicorn", "motor", "pymongo", "orjson")


def make_table(title: str, head: Iterable[str], rows: Iterable[Sequence[str]]) -> Table:
    made = Table(title=title, title_justify="left", box=box.MARKDOWN, pad_edge=True)
    for number, name in enumerate(head):
        made.add_column(name, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        made.add_row(*row)
    return made


def render_markdown(tables: Iterable[Table], verdict: str = "") -> str:
    """Renders the tables and the verdict on the goals as Markdown."""
    parts = []
    for each in tables:
        title, each.title = each.title, None
        written = StringIO()
        Console(file=written, width=400, color_system=None).print(each)
        each.title = title
        lines = [line.rstrip() for line in written.getvalue().splitlines() if line.strip()]
        parts.append("\n".join([f"**{title}**", "", *lines]))
    return "\n\n".join([*parts, *([verdict] if verdict else [])]) + "\n"


def collect_circumstances(checkout: Path = ROOT) -> dict[str, Any]:
    """Returns the time, the machine and the versions of a measurement."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": _run_command("git", "-C", str(checkout), "log", "-1", "--format=%h", "--", *PRODUCT),
        "processor": _read_processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[1], 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "node": _run_command("node", "--version") if shutil.which("node") else None,
        "mongod": _read_mongod_version(),
        "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
    }


def _read_processor() -> str:
    rows = Path("/proc/cpuinfo").read_text().splitlines()
    return next((row.partition(":")[2].strip() for row in rows if row.startswith("model name")), platform.machine())


def _read_mongod_version() -> str | None:
    try:
        return _run_command(str(find_binary()), "--version").splitlines()[0].rpartition(" ")[2]
    except MongodUnavailable:
        return None


def _run_command(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def summarize(found: Mapping[str, Any]) -> str:
    parts = [
        found["at"],
        f"commit {found['commit']}",
        f"{found['cores']} cores of {found['processor']} (load average {found['load']}), {found['system']}",
        f"Python {found['python']}",
        *([f"Node {found['node']}"] if found["node"] else []),
        f"mongod {found['mongod']}",
        *(f"{name} {version}" for name, version in found["libraries"].items()),
    ]
    return ", ".join(parts) + "."


def write_json(file: Path, content: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def record_tables(section: str, text_of_tables: str, found: Mapping[str, Any]) -> None:
    """Replaces the section of the README between its two marks: command, circumstances and tables."""
    begin, end = f"<!-- {section}: written by the command -->", f"<!-- end of {section} -->"
    text = README.read_text(encoding="utf-8")
    head, found_begin, rest = text.partition(begin)
    _, found_end, tail = rest.partition(end)
    if not found_begin or not found_end:
        raise LookupError(f"{README} has no section {section}.")
    body = f"\n`{found['command']}`\n\n{summarize(found)}\n\n{text_of_tables}\n"
    README.write_text(head + begin + body + end + tail, encoding="utf-8")
