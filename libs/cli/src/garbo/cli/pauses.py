"""`garbo pause|resume|pauses`: what the sender may not send now."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from garbo.cli.service_api import sender_of
from garbo.cli.spans import span_of
from garbo.common.errors import StartRefused

Json = Mapping[str, Any]
Scope = Annotated[str, typer.Argument(help="account, number, promo (of a number), template or campaign.")]
Name = Annotated[
    str, typer.Argument(help="Its id; a template as account:name:language, a campaign as brand:campaign.")
]
Key = Annotated[str | None, typer.Option(help="API key with scope admin; else GARBO_API_KEY, or the demo's.")]


def pause(
    scope: Scope,
    name: Name,
    *,
    reason: Annotated[
        str, typer.Option(help="A word for whoever looks later, such as complaints.")
    ] = "by_hand",
    until: Annotated[
        str | None, typer.Option(help="A span such as 2h, or an instant; else until it is resumed.")
    ] = None,
    key: Key = None,
) -> None:
    """Send nothing of something from now on; what waits keeps its deadline. Scope admin."""
    body = {"scope": scope, "name": name, "reason": reason}
    if until is not None:
        body["until"] = end_of(until).isoformat()
    typer.echo(f"paused {line_of(sender_of(os.environ, key=key).ask('POST', '/v1/pauses', body))}")


def resume(scope: Scope, name: Name, *, key: Key = None) -> None:
    """Send it again, whoever paused it. Scope admin."""
    path = f"/v1/pauses/{quote(scope, safe='')}/{quote(name, safe=':')}"
    for ended in sender_of(os.environ, key=key).ask("DELETE", path)["pauses"]:
        typer.echo(f"resumed {line_of(ended)}")


def pauses(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON.")] = False,
    key: Key = None,
) -> None:
    """List what may not be sent now: what, why, by whom, since and until when. Scope admin."""
    answer = sender_of(os.environ, key=key).ask("GET", "/v1/pauses")
    if as_json:
        sys.stdout.write(json.dumps(answer, indent=2) + "\n")
        return
    for line in map(line_of, answer["pauses"]):
        typer.echo(line)
    if not answer["pauses"]:
        typer.echo("nothing is paused")


def end_of(text: str) -> datetime:
    """Read a span from now, such as 2h, or an instant; raises StartRefused."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return datetime.now(UTC) + span_of(text, "--until")
    if at.tzinfo is None:
        raise StartRefused(f"--until: give the zone, too, such as {text}Z, or a span such as 2h")
    return at


def line_of(one: Json) -> str:
    """Write a pause in a line."""
    return " ".join(_words(one))


def _words(one: Json) -> Iterator[str]:
    yield f"{one['scope']} {one['name']}: {one['reason']}, by {one['by']} ({one['source']})"
    yield f"since {one['since'][:19]}Z,"
    yield f"until {one['until'][:19]}Z" if one.get("until") else "until it is resumed"
