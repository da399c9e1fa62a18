"""The menu of `garbo policy` and `garbo contact` as far as the router answers them."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console

from garbo.cli.router import contact as people
from garbo.cli.router.contact_page import print_contact
from garbo.cli.router.simulate import body_of, simulate
from garbo.cli.router.simulation_report import print_report
from garbo.cli.router.suppression_list import suppress
from garbo.cli.service_api import router_of
from garbo.cli.spans import instant_of
from garbo.common.errors import StartRefused

PIPED_WIDTH = 160

contact = typer.Typer(help="What the router knows of a person.", no_args_is_help=True)

Key = Annotated[str | None, typer.Option(help="API key; else GARBO_API_KEY, else the demo's.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON.")]
Who = Annotated[str, typer.Argument(help="Contact id, phone such as +393331234567, or user id.")]


def policy_simulate(  # noqa: PLR0913 - each is an option a person types
    file: Annotated[Path, typer.Argument(help="The other policy.")],
    *,
    since: Annotated[str, typer.Option(help="A span such as 7d, or an instant.")] = "7d",
    until: Annotated[str | None, typer.Option(help="A span before now, or an instant; else now.")] = None,
    warm_up: Annotated[
        str | None, typer.Option(help="Replay this much before it too: it fills caps, uncounted.")
    ] = None,
    brand: Annotated[str | None, typer.Option(help="Compare this brand's requests alone.")] = None,
    as_json: AsJson = False,
    key: Key = None,
) -> None:
    """Replay what was asked under another policy: who would get more, fewer, later."""
    body = body_of(file, since=since, until=until, warm_up=warm_up, brand=brand)
    report = simulate(router_of(os.environ, key=key), body)
    if as_json:
        _print_json(report)
    else:
        print_report(report, _console())


@contact.command("show")
def contact_show(
    who: Who,
    *,
    addresses: Annotated[
        bool, typer.Option("--addresses", help="With phone and user id: scope admin.")
    ] = False,
    as_json: AsJson = False,
    key: Key = None,
) -> None:
    """Show a person's state: what fills each cap and when it frees, what waits, consents with proof."""
    person = people.show(router_of(os.environ, key=key), who, addresses=addresses)
    if as_json:
        _print_json(person)
    else:
        print_contact(person, _console())


@contact.command("export")
def contact_export(
    who: Who,
    *,
    output: Annotated[
        Path | None, typer.Option(help="A file instead of the terminal; only you may read it.")
    ] = None,
    key: Key = None,
) -> None:
    """Export everything the router holds about a person, as JSON; scope admin."""
    held = people.export(router_of(os.environ, key=key), who)
    if output is None:
        _print_json(held)
        return
    try:
        output.touch(mode=0o600)
        output.write_text(json.dumps(held, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise StartRefused(f"{output} cannot be written: {error.strerror}") from None
    typer.echo(f"written to {output}")


@contact.command("erase")
def contact_erase(
    who: Who,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    key: Key = None,
) -> None:
    """Erase a person: addresses, state and messages; a STOP is remembered by the address's hash alone.

    Prints what is left, where and until when.
    """
    router = router_of(os.environ, key=key)
    contact_id = people.contact_id_of(router, who)
    if not yes:
        typer.confirm(f"Erase contact {contact_id} for good?", abort=True)
    erased = people.erase(router, contact_id)
    typer.echo(f"erased {erased['contact_id']}; what is left of it, and until when:")
    for line in people.lines_of(erased["remains"]):
        typer.echo(line)


@contact.command("split")
def contact_split(
    contact_id: Annotated[UUID, typer.Argument(help="Of those joined by clients: see `garbo contact show`.")],
    *,
    key: Key = None,
) -> None:
    """Make two of a person again, whom a client had joined; scope admin. A STOP stays with both."""
    parted = people.split(router_of(os.environ, key=key), str(contact_id))
    one, other, client = (parted[key] for key in ("contact_id", "parted_from", "said_by"))
    typer.echo(f"{one} is parted from {other}; {client} had joined them")


@contact.command("suppress")
def contact_suppress(
    file: Annotated[Path, typer.Argument(help="CSV; the first column is a phone or a user id.")],
    *,
    brand: Annotated[str, typer.Option(help="Whose promos are forbidden; * for all.")],
    as_of: Annotated[str, typer.Option(help="The list's date; a later opt-in outweighs it.")],
    source: Annotated[str, typer.Option(help="Where the list comes from.")] = "import",
    key: Key = None,
) -> None:
    """Bring a list of people who must not be promoted to; scope admin."""
    at = instant_of(as_of, "--as-of")
    count = suppress(router_of(os.environ, key=key), file, brand=brand, as_of=at, source=source)
    what = "1 address is" if count == 1 else f"{count:,} addresses are"
    typer.echo(f"{what} suppressed for {'all brands' if brand == '*' else brand}")


def _console() -> Console:
    """Give a page as wide as the terminal; wide enough for everything where there is none."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)


def _print_json(answer: Any) -> None:  # noqa: ANN401 - JSON
    sys.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
