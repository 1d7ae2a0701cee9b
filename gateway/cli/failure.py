"""Ends a command that cannot do its work: a message on standard error, exit code 1, no traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console


@contextmanager
def report_failures() -> Iterator[None]:
    """Ends the command with a message for failures that an operator can fix; other exceptions pass."""
    try:
        yield
    except _list_expected() as failure:
        fail(_describe(failure))


def _list_expected() -> tuple[type[Exception], ...]:
    """Imports only after a failure: a command without a database must not load its driver at the start."""
    from pymongo.errors import PyMongoError

    from gateway.mongod import MongodUnavailable
    from gateway.settings import SettingsError

    return SettingsError, MongodUnavailable, OSError, PyMongoError


def _describe(failure: Exception) -> str:
    from pymongo.errors import PyMongoError

    match failure:
        case OSError():
            return f"{failure.filename or 'The system'}: {failure.strerror or failure}."
        case PyMongoError():
            return f"The database does not answer ({type(failure).__name__}): check SATUGRAF_MONGODB_URI."
        case _:
            return str(failure)


def fail(sentence: str) -> NoReturn:
    Console(stderr=True).print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)
