"""How a command ends that cannot do its work: one sentence on standard error, exit code 1, no traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console


@contextmanager
def told() -> Iterator[None]:
    """Turns what an operator can mend into a sentence."""
    try:
        yield
    except _mendable() as failure:
        fail(_sentence(failure))


def _mendable() -> tuple[type[Exception], ...]:
    """Asked when something has failed: whoever needs no database does not load its driver."""
    from pymongo.errors import PyMongoError

    from gateway.mongod import MongodUnavailable
    from gateway.settings import SettingsError

    return SettingsError, MongodUnavailable, OSError, PyMongoError


def _sentence(failure: Exception) -> str:
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
