"""The other commands: their help, their output, and one sentence where they cannot do their work."""

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from pymongo import MongoClient
from typer.testing import CliRunner

import schema
from gateway.cli import app
from resolvers.migrations.chain import CHAIN, find_release

KEY = "a development key of the tests, not a secret"
COMMANDS = ("demo", "serve", "worker", "router", "seed", "migrate", "holiday", "doctor", "token", "schema", "routing")


@pytest.fixture
def database(mongodb_uri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database of the test's own, named in the environment as an operator does it."""
    name = f"test_{uuid.uuid4().hex[:16]}"
    for variable in [variable for variable in os.environ if variable.startswith("SATUGRAF_")]:
        if variable != "SATUGRAF_TEST_MONGODB":
            monkeypatch.delenv(variable)
    monkeypatch.setenv("SATUGRAF_MONGODB_URI", mongodb_uri)
    monkeypatch.setenv("SATUGRAF_MONGODB_DATABASE", name)
    yield name
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        client.drop_database(name)


def run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(words), env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_teaches(command: str) -> None:
    code, output, _ = run(command, "--help")
    assert code == 0
    assert len(output.splitlines()) > 5
    assert command == "doctor" or "Example" in output


def test_the_help_names_every_command() -> None:
    _, output, _ = run("--help")
    assert all(f" {command} " in output for command in COMMANDS)


def test_the_schema_command_prints_the_contract() -> None:
    assert run("schema") == (0, schema.print_subgraph_sdl(), "")


def test_a_day_that_a_decree_changes_is_entered_with_one_command(database: str) -> None:
    code, output, words = run("holiday", "2026-05-13", "--name", "Cuti bersama", "--decree", "SKB perubahan")
    assert (code, output.strip()) == (0, "2026-05-13 is Cuti bersama; 0 complaints are due anew."), words
    code, output, _ = run("holiday", "2026-05-13", "--decree", "SKB pencabutan")
    assert (code, output.strip()) == (0, "2026-05-13 is a working day; 0 complaints are due anew.")
    assert run("holiday", "besok", "--decree", "SKB")[0] == 2


def test_a_token_needs_a_development_key(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, words = run("token", "--role", "CITIZEN")
    assert code == 1
    assert "SATUGRAF_DEVELOPMENT_KEY" in words
    monkeypatch.setenv("SATUGRAF_MODE", "development")
    monkeypatch.setenv("SATUGRAF_DEVELOPMENT_KEY", KEY)
    code, token, _ = run("token", "--role", "agency_admin", "--agency", "kab-badung", "--subject", "ni-luh")
    claims = jwt.decode(token.strip(), KEY, algorithms=["HS256"], audience="satugraf")
    assert (code, claims["role"], claims["agency"], claims["sub"]) == (0, "AGENCY_ADMIN", "kab-badung", "ni-luh")
    code, _, words = run("token", "--role", "LIAISON")
    assert (code, "--agency" in words) == (1, True)


def test_seed_migrate_and_doctor_put_a_database_in_order(
    database: str, mongodb_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, words = run("doctor")
    assert code == 1
    assert all(way_out in words for way_out in ("satugraf seed", "satugraf migrate", "openssl rand"))
    assert run("migrate")[0] == 0
    assert run("seed", "--complaints", "100")[0] == 0
    monkeypatch.setenv("SATUGRAF_SECRET_KEY", "0" * 32)
    assert run("doctor")[:2] == (0, "Everything is in order.\n")
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        assert client[database].complaints.count_documents({}) == 100
        assert client[database].agencies.count_documents({}) == 682


def make_old(client: "MongoClient[dict[str, object]]", name: str) -> None:
    """A database of the first release: complaints without the keys of later ones."""
    client[name].complaints.insert_one({"_id": "LP-1", "title": "Jalan", "body": "Lubang", "readers": []})
    client[name].migrations.insert_many([{"_id": row.id} for row in CHAIN[:3]])


def test_an_old_database_is_not_served_until_it_is_migrated(
    database: str, mongodb_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SATUGRAF_SECRET_KEY", "0" * 32)
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        make_old(client, database)
        for command in ("serve", "worker"):
            code, _, words = run(command)
            assert (code, words) == (
                1,
                f"The database is at migration 003; this release, SatuGraf {find_release()}, reads databases from "
                "migration 006 on: run `satugraf migrate`.\n",
            )
        missing = "004 redacted texts, 005 audit heads, 006 reporters' own keys"
        assert f"Migrations are missing: {missing}. Run `satugraf migrate`.\n" in run("doctor")[2]
        lease = {"_id": "migrations", "holder": "gateway-1:7:c0ffee00", "until": datetime.now(UTC) + timedelta(hours=1)}
        client[database].leases.insert_one(lease)
        running = f"gateway-1:7:c0ffee00 is migrating the database. Not applied yet: {missing}.\n"
        assert running in run("doctor")[2]
        client[database].leases.delete_many({})
        code, output, words = run("migrate")
        assert (code, output) == (
            0,
            "004 redacted texts: 1 documents changed\n005 audit heads: 1 documents changed\n"
            "006 reporters' own keys: 0 documents changed\nThe database is at migration 006.\n",
        ), words
        assert run("migrate")[:2] == (0, "The database is at migration 006.\n")


def test_a_database_of_a_newer_release_is_refused_by_every_command(
    database: str, mongodb_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SATUGRAF_SECRET_KEY", "0" * 32)
    assert run("seed")[0] == 0
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        newer = {"_id": "007 letters", "release": "9.1.0", "readableFrom": 6}
        client[database].migrations.insert_one(newer)
        applied = 'A newer release, SatuGraf 9.1.0, has applied migration "007 letters"'
        note = f"{applied}. This release can serve the database.\n"
        assert run("doctor") == (0, "Everything is in order.\n", note)
        client[database].migrations.update_one({"_id": "007 letters"}, {"$set": {"readableFrom": 7}})
        client[database].agencies.delete_many({})
        for command in ("serve", "worker", "seed", "migrate", "doctor"):
            code, output, words = run(command)
            assert (code, output) == (1, "")
            assert words.endswith(
                f"{applied} to the database. It can be read by releases that know migration 007; this release, "
                f"SatuGraf {find_release()}, knows migrations up to 006: install the newer one.\n"
            )
        assert client[database].agencies.count_documents({}) == 0


@pytest.mark.parametrize("command", ["seed", "migrate", "doctor", "serve"])
def test_without_a_database_a_command_says_what_to_set(
    database: str, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.delenv("SATUGRAF_MONGODB_URI")
    code, _, words = run(command)
    assert (code, "SATUGRAF_MONGODB_URI" in words) == (1, True)


def test_a_server_without_a_secret_key_does_not_start(database: str) -> None:
    code, _, words = run("serve")
    assert (code, "SATUGRAF_SECRET_KEY" in words) == (1, True)


@pytest.mark.parametrize("uri", ["mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200", "not-a-uri"])
def test_a_database_that_does_not_answer_is_said_in_a_sentence(
    database: str, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.setattr("gateway.cli.data.SELECTION_MS", 200)
    monkeypatch.setenv("SATUGRAF_MONGODB_URI", uri)
    code, _, words = run("migrate")
    assert code == 1
    assert "SATUGRAF_MONGODB_URI" in words


def test_wrong_settings_are_told_one_by_one(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SATUGRAF_BODY_LIMIT_BYTES", "lots")
    monkeypatch.setenv("SATUGRAF_COST_LIMIT_POINTS", "none")
    code, _, words = run("migrate")
    assert code == 1
    assert "SATUGRAF_BODY_LIMIT_BYTES" in words
    assert "SATUGRAF_COST_LIMIT_POINTS" in words
