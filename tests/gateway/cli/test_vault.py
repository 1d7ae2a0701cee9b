"""`satugraf vault` and `satugraf audit`: an operator's hand in what the law asks."""

import asyncio
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo import MongoClient
from support.examples import a_complaint
from support.portal import ADMIN, CITIZEN
from typer.testing import CliRunner

from gateway.cli import app
from resolvers.regulations.holiday_tables import find_calendar
from resolvers.request.context import RequestContext
from resolvers.request.loaders import Loaders
from resolvers.store import indexes
from resolvers.store.database import connect
from resolvers.vault import vault

DATABASE = "test_cli_vault"
SECRET = "an operator's secret, thirty-two characters"
GIVEN = {"name": "Wayan Sudana", "phone": "0812", "sex": "MALE", "inclusionConsent": True}
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def complaint_id(mongodb_uri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A complaint whose reporter is sealed, and was read by Badung's admin; the database in the environment."""
    for variable in [name for name in os.environ if name.startswith("SATUGRAF_") and "TEST" not in name]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("SATUGRAF_MONGODB_URI", mongodb_uri)
    monkeypatch.setenv("SATUGRAF_MONGODB_DATABASE", DATABASE)
    monkeypatch.setenv("SATUGRAF_SECRET_KEY", SECRET)
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        client.drop_database(DATABASE)
        yield asyncio.run(_seeded(mongodb_uri))
        client.drop_database(DATABASE)


async def _seeded(uri: str) -> str:
    store = connect(uri, DATABASE)
    await indexes.create(store)
    row = a_complaint()

    def asking(viewer: Any) -> RequestContext:
        return RequestContext(store, Loaders(store), NOW, SECRET.encode(), find_calendar, viewer)

    row["reporter"] = await vault.seal(asking(CITIZEN), row["_id"], GIVEN)
    await store.complaints.insert_one(row)
    await vault.read_identity(asking(ADMIN), row)
    store.close()
    complaint_id: str = row["_id"]
    return complaint_id


def run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(words), env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def test_access_correction_consent_and_erasure_by_command(complaint_id: str) -> None:
    code, printed, _ = run("vault", "access", complaint_id, "--purpose", "Permintaan pelapor")
    assert (code, json.loads(printed)["name"], json.loads(printed)["sex"]) == (0, "Wayan Sudana", "MALE")
    assert run("vault", "correct", complaint_id, "--phone", "0899")[0] == 0
    assert run("vault", "withdraw-consent", complaint_id)[0] == 0
    found = json.loads(run("vault", "access", complaint_id, "--purpose", "Periksa")[1])
    assert (found["phone"], found["sex"]) == ("0899", None)
    assert run("vault", "erase", complaint_id)[0] == 0
    found = json.loads(run("vault", "access", complaint_id, "--purpose", "Periksa")[1])
    assert (found["name"], found["phone"]) == (None, None)
    assert found["erasedAt"]
    assert run("vault", "correct", complaint_id, "--phone", "1")[0] == 1
    code, _, words = run("audit", "verify")
    assert (code, "1 records are whole" in words) == (0, True)
    exported = [json.loads(line) for line in run("audit", "export")[1].splitlines()]
    actions = ["REPORTER_CORRECTED", "CONSENT_WITHDRAWN", "REPORTER_ERASED"]
    assert [entry["action"] for entry in exported] == actions


def test_what_is_not_there_is_said_in_a_sentence(complaint_id: str) -> None:
    for words in (("vault", "erase", "LP-0"), ("vault", "access", "LP-0", "--purpose", "x")):
        code, _, said = run(*words)
        assert code == 1
        assert "Traceback" not in said


def test_a_breach_names_whom_to_notify(complaint_id: str) -> None:
    span = ("--since", "2026-11-24", "--until", "2026-11-25", "--purpose", "Pasal 46")
    code, printed, _ = run("vault", "breach", *span)
    [row] = [json.loads(line) for line in printed.splitlines()]
    assert (code, row["complaint"], row["reads"], row["roles"]) == (0, complaint_id, 1, ["AGENCY_ADMIN"])
    assert "name" not in row
    [row] = [json.loads(line) for line in run("vault", "breach", *span, "--contact")[1].splitlines()]
    assert row["phone"] == "0812"
    assert run("vault", "breach", *span, "--subject", "somebody else")[1] == ""


def test_a_ring_rotates(complaint_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SATUGRAF_VAULT_KEYS", f"new:{'ab' * 32}")
    code, _, words = run("vault", "rotate")
    assert (code, "1 keys are wrapped with new now." in words) == (0, True)
    monkeypatch.setenv("SATUGRAF_VAULT_KEYS", f"newer:{'cd' * 32}")
    code, _, words = run("vault", "rotate")
    assert (code, "could not be unwrapped" in words) == (1, True)


def test_an_audit_that_was_tampered_with_fails(complaint_id: str, mongodb_uri: str) -> None:
    run("vault", "withdraw-consent", complaint_id)
    run("audit", "export")
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        client[DATABASE]["audit"].delete_many({})
    code, _, words = run("audit", "verify")
    assert (code, f"{complaint_id}: entry 1 of 0" in words) == (1, True)
