"""The command line. The module of a command is imported only when the command runs, or for `--help`.

A router needs no database driver and no schema: so it starts in three quarters of the CPU time.
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
    "demo": ("demo", "run_demo"),
    "serve": ("server", "serve"),
    "worker": ("worker", "run_worker"),
    "seed": ("data", "seed"),
    "migrate": ("data", "migrate"),
    "holiday": ("data", "holiday"),
    "doctor": ("data", "doctor"),
    "router": ("router", "run_router"),
    "token": ("access", "mint_token"),
    "schema": ("contract", "print_schema"),
    "routing": ("routing", "measure_routing"),
    "supergraph": ("supergraph", "commands"),
    "subgraph": ("subgraph", "commands"),
    "vault": ("vault", "commands"),
    "audit": ("audit", "commands"),
}
"""By command name: its module in this package, and its name there."""


class _LazyCommands(Mapping[str, Any]):
    """Click's commands by name; looking one up imports its module."""

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


class _CommandGroup(TyperGroup):
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes | {"commands": _LazyCommands()})


app = typer.Typer(
    name="satugraf",
    cls=_CommandGroup,
    no_args_is_help=True,
    **STYLE,
)


@app.callback()
def satugraf() -> None:
    """SatuGraf: one GraphQL graph over the agencies that handle public-service complaints."""
