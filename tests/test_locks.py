"""The locks: every direct dependency within its range, every pin with its hashes."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME = [Requirement(text) for text in [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]]
EXTRAS = [
    Requirement(text)
    for group in PROJECT["project"]["optional-dependencies"].values()
    for text in group
    if not text.startswith("satugraf")
]


def read_pins(name: str) -> dict[str, str]:
    """By normalised name, the pinned version. Fails for a pin without a hash."""
    text = (ROOT / ".ci" / name).read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)==([\w.+!-]+)((?:.*\\\n)*.*)", text, re.MULTILINE)
    assert all("--hash=sha256:" in rest for _, _, rest in pins)
    return {canonicalize_name(name): version for name, version, _ in pins}


@pytest.mark.parametrize(("name", "requirements"), [("runtime.lock", RUNTIME), ("check.lock", [*RUNTIME, *EXTRAS])])
def test_a_lock_has_every_dependency_within_its_range(name: str, requirements: list[Requirement]) -> None:
    pins = read_pins(name)
    outside = [
        f"{requirement} is pinned to {pins.get(canonicalize_name(requirement.name))}"
        for requirement in requirements
        if not requirement.specifier.contains(pins.get(canonicalize_name(requirement.name), ""), prereleases=True)
    ]
    assert outside == []


def test_a_lock_says_no_address_that_packages_came_from() -> None:
    for name in ("runtime.lock", "check.lock"):
        assert "://" not in (ROOT / ".ci" / name).read_text(encoding="utf-8")
