"""The `garbo` command: its menu. Each command's work is in a module of its own."""

import sys
from typing import Annotated

import typer

from garbo.cli.up import command as up_command
from garbo.common.errors import StartRefused

app = typer.Typer(
    name="garbo",
    help="Talk with customers on WhatsApp without ever crossing the limit of their trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def up(
    *,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="Without simulator and demo business.")] = False,
    no_services: Annotated[bool, typer.Option("--no-services", help="Kafka and PostgreSQL alone.")] = False,
) -> None:
    """Start everything on this machine; Ctrl-C stops it."""
    up_command.up(services=not no_services, demo=not no_demo)


@app.command()
def stop() -> None:
    """Stop what `garbo up` started from this folder."""
    typer.echo(up_command.stop())


@app.command()
def restart(service: Annotated[str, typer.Argument(help="Such as router.")]) -> None:
    """Start one process again, of those `garbo up` watches over."""
    up_command.restart(service)


def main() -> None:
    """Run the command; a start that is refused is one line on stderr and exit code 1."""
    try:
        app()
    except StartRefused as refused:
        typer.echo(f"garbo: {refused}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
