"""Tables for people, JSON for programs, and the same tables in bench/README.md."""

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


def table(title: str, head: Iterable[str], rows: Iterable[Sequence[str]]) -> Table:
    made = Table(title=title, title_justify="left", box=box.MARKDOWN, pad_edge=True)
    for number, name in enumerate(head):
        made.add_column(name, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        made.add_row(*row)
    return made


def markdown(tables: Iterable[Table], verdict: str = "") -> str:
    """Tables and what they say of the goals; shown as it is recorded."""
    parts = []
    for each in tables:
        title, each.title = each.title, None
        written = StringIO()
        Console(file=written, width=400, color_system=None).print(each)
        each.title = title
        lines = [line.rstrip() for line in written.getvalue().splitlines() if line.strip()]
        parts.append("\n".join([f"**{title}**", "", *lines]))
    return "\n\n".join([*parts, *([verdict] if verdict else [])]) + "\n"


def circumstances(checkout: Path = ROOT) -> dict[str, Any]:
    """When and where it was measured, and with which versions."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": _output("git", "-C", str(checkout), "log", "-1", "--format=%h", "--", *PRODUCT),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[1], 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "node": _output("node", "--version") if shutil.which("node") else None,
        "mongod": _mongod(),
        "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
    }


def _processor() -> str:
    rows = Path("/proc/cpuinfo").read_text().splitlines()
    return next((row.partition(":")[2].strip() for row in rows if row.startswith("model name")), platform.machine())


def _mongod() -> str | None:
    try:
        return _output(str(find_binary()), "--version").splitlines()[0].rpartition(" ")[2]
    except MongodUnavailable:
        return None


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def in_a_line(found: Mapping[str, Any]) -> str:
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


def record(section: str, text_of_tables: str, found: Mapping[str, Any]) -> None:
    """Puts the tables into the README, between the section's two marks, with command and circumstances."""
    begin, end = f"<!-- {section}: written by the command -->", f"<!-- end of {section} -->"
    text = README.read_text(encoding="utf-8")
    head, found_begin, rest = text.partition(begin)
    _, found_end, tail = rest.partition(end)
    if not found_begin or not found_end:
        raise LookupError(f"{README} has no section {section}.")
    body = f"\n`{found['command']}`\n\n{in_a_line(found)}\n\n{text_of_tables}\n"
    README.write_text(head + begin + body + end + tail, encoding="utf-8")
