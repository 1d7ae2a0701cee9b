"""The commands; each a few lines over a module below, which is imported when its command is asked for.

A router, which needs no database, starts in three quarters of the processor time so.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_group

STYLE: Final[dict[str, Any]] = {
    "add_completion": False,
    "rich_markup_mode": "rich",
    "pretty_exceptions_enable": False,
}

COMMANDS: Final = {
    "demo": ("demo", "demo"),
    "serve": ("server", "serve"),
    "worker": ("worker", "worker"),
    "seed": ("data", "seed"),
    "migrate": ("data", "migrate"),
    "holiday": ("data", "holiday"),
    "doctor": ("data", "doctor"),
    "router": ("router", "router"),
    "token": ("access", "token"),
    "schema": ("contract", "schema"),
    "routing": ("routing", "routing"),
    "supergraph": ("supergraph", "commands"),
    "subgraph": ("subgraph", "commands"),
    "vault": ("vault", "commands"),
    "audit": ("audit", "commands"),
}
"""A command's name to the module here that has it, and its name there."""


class _WhenAskedFor(Mapping[str, Any]):
    def __getitem__(self, name: str) -> Any:
        module, attribute = COMMANDS[name]
        command = getattr(import_module(f"{__name__}.{module}"), attribute)
        around = typer.Typer(**STYLE)
        if isinstance(command, typer.Typer):
            around.add_typer(command, name=name)
        else:
            around.command(name)(command)
        return get_group(around).commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Commands(TyperGroup):
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes | {"commands": _WhenAskedFor()})


app = typer.Typer(
    name="satugraf",
    cls=_Commands,
    no_args_is_help=True,
    **STYLE,
)


@app.callback()
def satugraf() -> None:
    """SatuGraf: one GraphQL graph over the agencies that handle public-service complaints."""
