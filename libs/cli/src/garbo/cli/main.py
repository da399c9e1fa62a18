"""The `garbo` command: its menu. Each command's work is in a module of its own."""

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from garbo.cli.connect.command import Asked, doctor_live
from garbo.cli.connect.command import connect as connect_number
from garbo.cli.connection import api_key_of, dsn_of, kafka_of, role_settings_of, url_of, user_settings_of
from garbo.cli.database import migrate_all, roles_all
from garbo.cli.dlq.commands import dlq
from garbo.cli.doctor import command as doctor_command
from garbo.cli.lane import lane
from garbo.cli.media import media
from garbo.cli.pauses import pause, pauses, resume
from garbo.cli.policy import policy_check, policy_schema
from garbo.cli.replay import replay
from garbo.cli.rights.command import apply_acls, print_rights
from garbo.cli.rights.table import commands
from garbo.cli.router.commands import contact, policy_simulate
from garbo.cli.send import Wish
from garbo.cli.send import send as ask_for
from garbo.cli.tail import tail as follow
from garbo.cli.templates import templates
from garbo.cli.topics import HOW_TO_REPARTITION, Change, apply_topics, plan_topics
from garbo.cli.up import command as up_command
from garbo.cli.up.screen import wants_colour
from garbo.common.errors import StartRefused

app = typer.Typer(
    name="garbo",
    help="Talk with customers on WhatsApp without ever crossing the limit of their trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
topics = typer.Typer(help="Make Kafka's topics agree with the table in code.", no_args_is_help=True)
app.add_typer(topics, name="topics")
policy = typer.Typer(help="What may be sent to whom, and how often.", no_args_is_help=True)
app.add_typer(policy, name="policy")
app.add_typer(contact, name="contact")
app.add_typer(lane, name="lane")
app.add_typer(dlq, name="dlq")
app.add_typer(templates, name="templates")
app.add_typer(media, name="media")
app.command()(pause)
app.command()(resume)
app.command()(pauses)
app.command()(replay)
policy.command("check")(policy_check)
policy.command("simulate")(policy_simulate)
policy.command("schema")(policy_schema)


@app.command()
def up(
    *,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="Simulator without traffic.")] = False,
    no_services: Annotated[bool, typer.Option("--no-services", help="Kafka and PostgreSQL alone.")] = False,
    live: Annotated[
        Path | None, typer.Option("--live", help="A business file: the real platform, no simulator.")
    ] = None,
) -> None:
    """Start everything on this machine; Ctrl-C stops it."""
    up_command.up(services=not no_services, demo=not no_demo, live=live)


@app.command()
def stop() -> None:
    """Stop what `garbo up` started from this folder."""
    typer.echo(up_command.stop())


@app.command()
def restart(service: Annotated[str, typer.Argument(help="Such as router.")]) -> None:
    """Start one process again, of those `garbo up` watches over."""
    up_command.restart(service)


@topics.command("plan")
def topics_plan() -> None:
    """Say what apply would do; exit code 1 when it would refuse."""
    todo = asyncio.run(plan_topics(kafka_of(os.environ)))
    _print_changes(todo, "would be done")
    if any(change.refused for change in todo):
        raise StartRefused(HOW_TO_REPARTITION)


@topics.command("apply")
def topics_apply(
    *,
    replication: Annotated[int, typer.Option(help="Of new topics; -1: the broker's default.")] = -1,
    acls: Annotated[bool, typer.Option("--acls", help="Users and their rights as well.")] = False,
) -> None:
    """Create what is missing, set retention and sizes; never changes partitions."""
    _print_changes(asyncio.run(apply_topics(kafka_of(os.environ), replication=replication)), "done")
    if acls:
        print_rights(asyncio.run(apply_acls(kafka_of(os.environ), user_settings_of(os.environ))))


@topics.command("acls")
def topics_acls() -> None:
    """Print each right as a line of kafka-acls.sh, for a cluster that is somebody else's."""
    for line in commands():
        typer.echo(line)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema of each service, and make its role with its rights."""
    dsn, roles = dsn_of(os.environ), role_settings_of(os.environ)
    applied = asyncio.run(migrate_all(dsn))
    for name in applied:
        typer.echo(f"applied {name}")
    if not applied:
        typer.echo("nothing to do: all migrations are applied")
    for name in asyncio.run(roles_all(dsn, roles)):
        typer.echo(f"made role {name}")


@app.command()
def send(  # noqa: PLR0913 - each is an option a person types
    *,
    to: Annotated[str, typer.Option(help="Phone number in E.164, such as +393331234567.")],
    purpose: Annotated[str, typer.Option(help="care, promo, utility or auth.")] = "care",
    text: Annotated[str | None, typer.Option(help="Free text.")] = None,
    template: Annotated[str | None, typer.Option(help="An approved template's name.")] = None,
    param: Annotated[list[str] | None, typer.Option(help="The template's values, in order.")] = None,
    language: Annotated[str, typer.Option(help="The template's language.")] = "it",
    brand: Annotated[str, typer.Option(help="Who speaks.")] = "acme",
    campaign: Annotated[str | None, typer.Option(help="Counted together.")] = None,
    key: Annotated[str | None, typer.Option(help="Idempotency-Key; without one, a new request.")] = None,
) -> None:
    """Ask for one message, through ingest (GARBO_URL_INGEST) with GARBO_API_KEY or the demo's."""
    wish = Wish(
        to=to,
        purpose=purpose,
        brand=brand,
        text=text,
        template=template,
        language=language,
        parameters=param or (),
        campaign=campaign,
    )
    ingest, api_key = url_of(os.environ, "ingest"), api_key_of(os.environ)
    ids = ask_for(wish, ingest=ingest, api_key=api_key, idempotency_key=key)
    typer.echo(f"request {ids['request_id']} is in Kafka; its story:")
    typer.echo(f"{url_of(os.environ, 'analytics')}/v1/messages/{ids['request_id']}")


@app.command()
def tail() -> None:
    """Show decisions, sends and statuses as they happen; Ctrl-C ends."""
    colour = wants_colour(sys.stdout, os.environ)
    asyncio.run(follow(kafka_of(os.environ), typer.echo, colour=colour))


@app.command()
def connect(  # noqa: PLR0913 - each is something a person types
    token: Annotated[
        str, typer.Argument(help="The file with the access token; - reads it, env:NAME as well.")
    ],
    number: Annotated[str, typer.Argument(help="The phone number id, as WhatsApp Manager shows it.")],
    *,
    app_id: Annotated[str | None, typer.Option(help="The app; without, the token's own.")] = None,
    app_secret_file: Annotated[Path | None, typer.Option(help="Else GARBO_WHATSAPP_APP_SECRETS.")] = None,
    verify_token_file: Annotated[Path | None, typer.Option(help="Else GARBO_WHATSAPP_VERIFY_TOKEN.")] = None,
    callback: Annotated[str | None, typer.Option(help="Without, the address the platform has.")] = None,
    business: Annotated[Path | None, typer.Option(help="Write the number's entry into this file.")] = None,
    brand: Annotated[str | None, typer.Option(help="Whose number it is.")] = None,
    subscribe: Annotated[
        bool, typer.Option("--subscribe", help="Let the app hear of the account first.")
    ] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Write it whatever is wrong.")] = False,
) -> None:
    """Check a real number from token to webhook, one line each with the mend; exit code 1 when one fails."""
    asked = Asked(
        token=token,
        number=number,
        app_id=app_id,
        app_secret_file=app_secret_file,
        verify_token_file=verify_token_file,
        callback=callback,
        business=business,
        brand=brand,
        subscribe=subscribe,
        anyway=anyway,
    )
    raise typer.Exit(0 if connect_number(asked) else 1)


@app.command()
def doctor(
    *,
    live: Annotated[
        bool, typer.Option("--live", help="Each number of the business file, as connect.")
    ] = False,
    ledger: Annotated[bool, typer.Option("--ledger", help="Compare the counts of all parts.")] = False,
    settle: Annotated[float, typer.Option(help="Seconds to wait until the counts agree.")] = 30.0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Let the traffic rest while counting.")] = False,
) -> None:
    """Check everything a newcomer gets wrong, and say the mend; exit code 1 when something is."""
    if live:
        raise typer.Exit(0 if doctor_live() else 1)
    well = doctor_command.doctor_ledger(settle_s=settle, hush=quiet) if ledger else doctor_command.doctor()
    raise typer.Exit(0 if well else 1)


def _print_changes(changes: list[Change], what: str) -> None:
    for change in changes:
        typer.echo(f"{change.kind:<11} {change.topic.name}  {change.detail}")
    allowed = sum(not change.refused for change in changes)
    typer.echo(f"{allowed} {what}" if changes else "nothing to do: Kafka agrees with the table")


def main() -> None:
    """Run the command; a start that is refused is one line on stderr and exit code 1."""
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # its news reaches people in our words
    try:
        app()
    except StartRefused as refused:
        typer.echo(f"garbo: {refused}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
