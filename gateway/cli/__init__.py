"""The commands; each a few lines over a module below."""

import typer

from gateway.cli import access, audit, contract, data, demo, router, server, supergraph, vault

app = typer.Typer(
    name="satugraf",
    help="SatuGraf: one GraphQL graph over the agencies that handle public-service complaints.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(server.serve)
app.command()(data.seed)
app.command()(data.migrate)
app.command()(data.holiday)
app.command()(data.doctor)
app.command()(router.router)
app.add_typer(supergraph.commands, name="supergraph")
app.add_typer(vault.commands, name="vault")
app.add_typer(audit.commands, name="audit")
app.command()(access.token)
app.command()(contract.schema)
