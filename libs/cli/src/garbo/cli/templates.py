"""`garbo templates`: what the platform shows of each account's templates, and reading them now."""

import asyncio
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

import orjson
import structlog
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from garbo.cli.connect.command import PROOFS
from garbo.cli.connect.secrets import secret_from
from garbo.cli.connection import business_of, graph_url_of, kafka_of
from garbo.cli.dlq.summary import plain
from garbo.common.clock import SystemClock
from garbo.common.errors import StartRefused
from garbo.common.events.template_observed import TemplateObserved
from garbo.common.events.template_registry import GONE, TemplateRegistry
from garbo.common.events.template_takes import CardTakes, Takes
from garbo.common.events.topics import TEMPLATE_OBSERVED
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.followed_topic import FollowedTopic
from garbo.common.runtime.live import reaches_people
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.published import read_with_tokens
from garbo.sender.flow.templates import CannotRead, FollowTemplates
from garbo.sender.outbound.graph import GraphClient
from garbo.sender.outbound.kafka_templates import KafkaTemplates
from garbo.sender.outbound.whatsapp_templates import WhatsAppTemplates
from garbo.sender.settings import SenderSettings

templates = typer.Typer(help="Templates as the platform has them.", no_args_is_help=True)
AccountOption = Annotated[str | None, typer.Option("--account", help="Of this business account alone.")]
_COLOURS: Final[Mapping[str, str]] = {
    "APPROVED": "green",
    "PAUSED": "yellow",
    "DISABLED": "red",
    "REJECTED": "red",
}


@templates.command("list")
def list_templates(account: AccountOption = None) -> None:
    """Show each account's templates: category, state, quality, and what a message must give."""
    known = asyncio.run(_known(kafka_of(os.environ)))
    accounts = [one for one in known.known.values() if one.name is None and account in (None, one.waba)]
    if not accounts:
        raise StartRefused("no account was read yet: type garbo templates sync, or see the sender's log")
    console = Console(highlight=False, soft_wrap=True)
    for one in accounts:
        listed = sorted(known.of(one.waba), key=lambda t: (t.name or "", t.language or ""))
        read = f"read {one.observed_at:%Y-%m-%d %H:%M} UTC"
        console.print(f"account {one.waba}, {len(listed)} templates, {read}", style="bold", markup=False)
        console.print(_table(listed))


@templates.command("show")
def show_template(name: str, account: AccountOption = None) -> None:
    """Show one template in each language, and what a message gives it."""
    known = asyncio.run(_known(kafka_of(os.environ)))
    found = [one for one in known.known.values() if one.name == name and account in (None, one.waba)]
    if not found:
        raise StartRefused(f"no account that was read has a template {name[:60]}: type garbo templates list")
    for one in found:
        for line in _lines(one):
            typer.echo(line)


@templates.command("sync")
def sync_templates(account: AccountOption = None) -> None:
    """Read them from the platform now, and tell all services what differs; exit code 1 where one fails."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if not asyncio.run(_synced(os.environ, account)):
        raise typer.Exit(1)


async def _known(kafka: KafkaSettings) -> TemplateRegistry:
    known = TemplateRegistry()
    followed = FollowedTopic(kafka, TEMPLATE_OBSERVED, known.apply)
    try:
        await followed.start()
    finally:
        await followed.stop()
    return known


async def _synced(env: Mapping[str, str], account: str | None) -> bool:
    url, kafka = graph_url_of(env), kafka_of(env)
    read = read_with_tokens(business_of(env), live=reaches_people(url))
    accounts = {w: n for w, n in read.business.account_numbers.items() if account in (None, w)}
    if not accounts:
        raise StartRefused("the business file has no number of this account")
    secret = secret_from(None, env, PROOFS)
    version = str(SenderSettings.model_fields["graph_version"].default)
    graph = GraphClient(
        url=url,
        version=env.get("GARBO_GRAPH_VERSION") or version,
        token_of=read.tokens.get,
        app_secret=secret,
    )
    producer = Producer(kafka=kafka, service="cli")
    follow = FollowTemplates(
        accounts=lambda: accounts,
        lists=WhatsAppTemplates(graph),
        records=KafkaTemplates(producer),
        known=await _known(kafka),
        clock=SystemClock(),
        every=SenderSettings.model_fields["templates_every"].default,
    )
    try:
        await producer.start()
        await graph.start()
        return all([await _told(follow, waba, numbers) for waba, numbers in accounts.items()])
    finally:
        await graph.stop()
        await producer.stop()


async def _told(follow: FollowTemplates, waba: str, numbers: Sequence[str]) -> bool:
    try:
        *told, _ = await follow.read(waba, numbers)
    except CannotRead as cannot:
        typer.echo(f"account {waba} cannot be read ({cannot.why}): type garbo doctor --live", err=True)
        return False
    typer.echo(f"account {waba}: {len(told)} differ from what was known")
    for one in told:
        typer.echo(f"  {plain(one.name or '')} {plain(one.language or '')} is {_state(one)}")
    return True


def _table(listed: Sequence[TemplateObserved]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("template", "language", "category", "state", "quality", "a message gives"):
        table.add_column(heading)
    for one in listed:
        state = _state(one)
        table.add_row(
            *map(_cell, (one.name, one.language, (one.category or "?").lower())),
            Text(state, _COLOURS.get(one.status or "", "dim")),
            *map(_cell, ((one.quality or "?").lower(), summary(one.takes))),
        )
    return table


def _cell(text: str | None) -> Text:
    """Write what the platform says as it is: neither markup nor what moves a cursor."""
    return Text(plain(text or ""))


def summary(takes: Takes | None) -> str:
    """Say in a few words what a template takes."""
    if takes is None:
        return "unknown"
    parts = list(_parts(takes))
    if takes.cards:
        each = ", ".join(_parts(takes.cards[0])) or "nothing"
        parts.append(f"{len(takes.cards)} cards ({each})")
    if takes.offer_ends:
        parts.append("the offer's end")
    return ", ".join(parts) or "nothing"


def content_of(one: TemplateObserved) -> dict[str, Any]:
    """Write the content of a message that gives this template all it takes, with places to fill."""
    takes = one.takes or Takes()
    components = _components(takes, named=takes.named)
    if takes.cards:
        cards = [
            {"card_index": n, "components": _components(card, named=takes.named)}
            for n, card in enumerate(takes.cards)
        ]
        components.append({"type": "carousel", "cards": cards})
    template: dict[str, Any] = {"name": one.name, "language": {"code": one.language}}
    return {"type": "template", "template": template | ({"components": components} if components else {})}


def _parts(takes: CardTakes) -> Iterator[str]:
    if takes.header and takes.header != "TEXT":
        yield f"a header {takes.header.lower()}"
    if takes.header_values:
        yield f"{len(takes.header_values)} in the header"
    if takes.body_values:
        names = "" if takes.body_values[0].isdecimal() else f" ({', '.join(takes.body_values)})"
        yield f"{len(takes.body_values)} value{'s' if len(takes.body_values) > 1 else ''}{names}"
    if needing := sum(button.needs_value for button in takes.buttons):
        yield f"{needing} for buttons"


def _components(takes: CardTakes, *, named: bool) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    if takes.header and takes.header != "TEXT":
        kind = takes.header.lower()
        made.append({"type": "header", "parameters": [{"type": kind, kind: {"link": "https://..."}}]})
    elif takes.header_values:
        made.append({"type": "header", "parameters": _values(takes.header_values, named=named)})
    if takes.body_values:
        made.append({"type": "body", "parameters": _values(takes.body_values, named=named)})
    for index, button in enumerate(takes.buttons):
        if button.needs_value:
            sub_type = "url" if button.kind == "OTP" else button.kind.lower()
            kind = "coupon_code" if button.kind == "COPY_CODE" else "text"
            value = {"type": "button", "sub_type": sub_type, "index": str(index)}
            made.append({**value, "parameters": [{"type": kind, kind: "..."}]})
    return made


def _values(names: Sequence[str], *, named: bool) -> list[dict[str, Any]]:
    plain_value = {"type": "text", "text": "..."}
    return [plain_value | ({"parameter_name": name} if named else {}) for name in names]


def _lines(one: TemplateObserved) -> Iterator[str]:
    category, quality = (one.category or "?").lower(), (one.quality or "?").lower()
    yield f"{plain(one.name or '')} {plain(one.language or '')}, account {one.waba}"
    since = f"since {one.observed_at:%Y-%m-%d %H:%M} UTC"
    yield f"  {_state(one)}, {plain(category)}, quality {plain(quality)}, {since}"
    if one.status != GONE:
        yield f"  a message gives {summary(one.takes)}:"
        yield f"  {orjson.dumps(content_of(one)).decode()}"


def _state(one: TemplateObserved) -> str:
    return "gone" if one.status == GONE else plain((one.status or "?").lower())
