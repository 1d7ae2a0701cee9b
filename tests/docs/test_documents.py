"""The documents name only what exists: links, paths and modules resolve."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("bench/**/*.md")),
]
PACKAGES = ("gateway", "schema", "resolvers", "tests", "docs", "bench")
PLACEHOLDER = re.compile(r"[*<>…{}]")
"""Marks a pattern, such as `resolvers/<subject>/`, which names no single path."""


def list_missing_links(document: Path) -> list[str]:
    targets = re.findall(r"\]\(([^)#\s]+?)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    return [target for target in targets if "://" not in target and not (document.parent / target).exists()]


def list_missing_paths(document: Path) -> list[str]:
    """Paths and dotted modules in backticks, from the root: `gateway/graph/`, `resolvers.domain`."""
    missing = []
    for name in re.findall(r"`([\w./-]+?)(?:::\w+)?`", document.read_text(encoding="utf-8")):
        first = re.split(r"[./]", name)[0]
        if first not in PACKAGES or PLACEHOLDER.search(name):
            continue
        if "/" in name:
            is_there = (ROOT / name).exists()
        elif re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", name):
            path = ROOT / name.replace(".", "/")
            is_there = path.is_dir() or path.with_suffix(".py").exists()
        else:
            continue
        if not is_there:
            missing.append(name)
    return missing


def test_links_lead_somewhere() -> None:
    assert [f"{document.name}: {target}" for document in DOCUMENTS for target in list_missing_links(document)] == []


def test_paths_and_modules_exist() -> None:
    assert [f"{document.name}: {name}" for document in DOCUMENTS for name in list_missing_paths(document)] == []
