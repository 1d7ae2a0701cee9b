"""docker-compose.yml, read against what the images and our own commands document.

There is no container engine where these tests run: they check that the parts fit each other.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from gateway.cli import app
from gateway.settings import Settings

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
MEMBERS = ("mongodb1", "mongodb2", "mongodb3")
SECRET = re.compile(r"PASSWORD|SECRET|KEY$|URI$")


def test_every_secret_comes_from_the_environment_and_is_asked_for() -> None:
    found = 0
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if SECRET.search(name):
                assert re.search(r"\$\{[A-Z_]+:\?", value), name
                found += 1
    assert found >= 6
    assert COMPOSE["secrets"] == {"replica_key": {"environment": "MONGODB_REPLICA_KEY"}}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_keeps_its_data_its_key_and_its_health(name: str) -> None:
    member = SERVICES[name]
    assert member["volumes"] == [f"{name}:/data/db"]
    assert name in COMPOSE["volumes"]
    script = member["entrypoint"][2]
    assert "--owner=mongodb --group=mongodb --mode=0400 /run/secrets/replica_key" in script
    assert 'exec docker-entrypoint.sh "$$@"' in script
    assert {"--replSet=rs0", "--keyFile=/tmp/replica_key"} <= set(member["command"])
    assert "--setParameter=transactionLifetimeLimitSeconds=10" in member["command"]
    assert member["healthcheck"]["test"][0] == "CMD"


def test_the_set_is_made_of_the_members_once_they_are_healthy() -> None:
    service = SERVICES["replica-set"]
    assert service["depends_on"] == {name: {"condition": "service_healthy"} for name in MEMBERS}
    script = service["command"][0]
    assert "replSetInitiate" in script
    assert "mongodb$${number}:27017" in script
    assert service["restart"] == "no"


def test_the_order_is_database_then_data_then_gateway() -> None:
    assert SERVICES["reference-data"]["depends_on"] == {"replica-set": {"condition": "service_completed_successfully"}}
    assert SERVICES["gateway"]["depends_on"] == {"reference-data": {"condition": "service_completed_successfully"}}


def test_the_settings_and_commands_are_ours() -> None:
    known = {f"SATUGRAF_{name.upper()}" for name in Settings.model_fields}
    for name in ("reference-data", "gateway"):
        assert SERVICES[name]["environment"].keys() <= known
        command, *options = SERVICES[name]["command"]
        help_text = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).stdout
        assert "Usage" in help_text
        assert all(option.partition("=")[0] in help_text for option in options)


def test_the_image_holds_the_packages_and_runs_as_nobody_in_particular() -> None:
    dockerfile = SERVICES["gateway"]["build"]["dockerfile_inline"]
    for line in re.findall(r"^COPY (.+) \S+$", dockerfile, re.MULTILINE):
        assert all((ROOT / name).exists() for name in line.split())
    assert "USER 10001" in dockerfile
    assert SERVICES["gateway"]["cap_drop"] == ["ALL"]
    assert SERVICES["gateway"]["read_only"] is True


def test_the_gateway_has_longer_to_stop_than_it_takes() -> None:
    from gateway.cli.server import GRACE_SECONDS

    assert int(SERVICES["gateway"]["stop_grace_period"].removesuffix("s")) > GRACE_SECONDS
    assert "/readyz" in SERVICES["gateway"]["healthcheck"]["test"][-1]


def test_the_database_is_reached_from_inside_alone() -> None:
    assert COMPOSE["networks"]["database"] == {"internal": True}
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["gateway"]
