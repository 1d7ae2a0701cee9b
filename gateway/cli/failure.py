"""How a command ends that cannot do its work: one sentence on standard error, exit code 1, no traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from pymongo.errors import PyMongoError
from rich.console import Console

from gateway.mongod import MongodUnavailable
from gateway.settings import SettingsError


@contextmanager
def told() -> Iterator[None]:
    """Turns what an operator can mend into a sentence."""
    try:
        yield
    except (SettingsError, MongodUnavailable) as failure:
        fail(str(failure))
    except OSError as failure:
        fail(f"{failure.filename or 'The system'}: {failure.strerror or failure}.")
    except PyMongoError as failure:
        fail(f"The database does not answer ({type(failure).__name__}): check SATUGRAF_MONGODB_URI.")


def fail(sentence: str) -> NoReturn:
    Console(stderr=True).print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)
