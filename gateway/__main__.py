"""`python -m gateway` is the CLI."""

from gateway.cli import app

app()
