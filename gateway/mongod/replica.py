"""Makes a mongod a replica set of one node: transactions and change streams need one."""

import time
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure

PRIMARY_SECONDS: Final = 30

_NOT_YET_INITIALIZED: Final = 94
_ALREADY_INITIALIZED: Final = 23


def make_primary(port: int) -> None:
    """Initiates the set `rs0`, or changes its port, and waits until the node accepts writes."""
    host = f"127.0.0.1:{port}"
    client: MongoClient[dict[str, Any]] = MongoClient(host, directConnection=True, serverSelectionTimeoutMS=10_000)
    with client:
        admin = client.admin
        try:
            config = admin.command("replSetGetConfig")["config"]
        except OperationFailure as failure:
            if failure.code != _NOT_YET_INITIALIZED:
                raise
            _initiate(admin, host)
        else:
            _move(admin, config, host)
        _wait(admin)


def _initiate(admin: Any, host: str) -> None:
    settings = {"electionTimeoutMillis": 1000}
    config = {"_id": "rs0", "members": [{"_id": 0, "host": host}], "settings": settings}
    try:
        admin.command("replSetInitiate", config)
    except OperationFailure as failure:
        if failure.code != _ALREADY_INITIALIZED:
            raise


def _move(admin: Any, config: dict[str, Any], host: str) -> None:
    if [member["host"] for member in config["members"]] != [host]:
        config["members"][0]["host"] = host
        config["version"] += 1
        admin.command("replSetReconfig", config, force=True)


def _wait(admin: Any) -> None:
    give_up = time.monotonic() + PRIMARY_SECONDS
    while time.monotonic() < give_up:
        try:
            if admin.command("hello").get("isWritablePrimary"):
                return
        except AutoReconnect:  # a reconfiguration closes connections
            continue
        time.sleep(0.02)
    raise TimeoutError(f"mongod did not become primary within {PRIMARY_SECONDS} s.")
