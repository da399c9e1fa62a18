"""`garbo media put|show`: files for messages, at the sender."""

import mimetypes
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from garbo.cli.service_api import sender_of
from garbo.cli.up.environment import DEMO_KEYS
from garbo.common.errors import StartRefused

media = typer.Typer(help="Files for messages: give them once, send them by name.", no_args_is_help=True)
Brand = Annotated[str, typer.Option(help="Whose file it is.")]
Key = Annotated[
    str | None, typer.Option(help="API key with scope publish; else GARBO_API_KEY, or the demo's.")
]


@media.command()
def put(
    file: Annotated[Path, typer.Argument(help="The file.")],
    *,
    brand: Brand,
    mime_type: Annotated[
        str | None, typer.Option("--type", help="Such as image/jpeg; else by the file's ending.")
    ] = None,
    key: Key = None,
) -> None:
    """Give a file, and print what a message calls it. The same content again is the same file."""
    said = mime_type or mimetypes.guess_type(file.name)[0]
    if said is None:
        raise StartRefused(f"{file.name}: nothing is known of this ending: say --type, such as image/jpeg")
    path = f"/v1/media?{urlencode({'brand': brand})}"
    try:
        with file.open("rb") as content:
            answer = sender_of(os.environ, key=_key(key)).give(path, content, mime_type=said)
    except OSError as error:
        raise StartRefused(f"{file} cannot be read: {error.strerror}") from None
    typer.echo(line_of(answer))


@media.command()
def show(
    file: Annotated[str, typer.Argument(help="As put printed it: sha256:...")],
    *,
    brand: Brand,
    key: Key = None,
) -> None:
    """Say what a file is, and until when it is kept."""
    path = f"/v1/media/{file}?{urlencode({'brand': brand})}"
    typer.echo(line_of(sender_of(os.environ, key=_key(key)).ask("GET", path)))


def _key(given: str | None) -> str:
    return given or os.environ.get("GARBO_API_KEY") or DEMO_KEYS["shop"]


def line_of(one: Mapping[str, Any]) -> str:
    """Write a file in a line, its name first."""
    return f"{one['file']} {one['mime_type']} {one['size_bytes']} bytes, kept until {one['kept_until'][:10]}"
