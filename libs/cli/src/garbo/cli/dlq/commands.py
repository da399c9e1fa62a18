"""`garbo dlq`: what a service refused, why, and the way back."""

import asyncio
import json
import os
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from garbo.cli.cluster import consumer_of
from garbo.cli.connection import kafka_of
from garbo.cli.dlq.discard import plan_discard
from garbo.cli.dlq.fates import Fate, Fates
from garbo.cli.dlq.letters import Choice, Letter, letters_in
from garbo.cli.dlq.redrive import RedrivePlan, plan_redrive, redrive_letters
from garbo.cli.dlq.summary import Heap, heap_fields, heap_line, letter_lines
from garbo.cli.operators import ByOption, operator_of
from garbo.cli.spans import instant_of
from garbo.common.errors import StartRefused
from garbo.common.events.topics import SERVICES, dead_letters
from garbo.common.runtime.broker import KafkaSettings

dlq = typer.Typer(help="What a service refused, why, and the way back.", no_args_is_help=True)

SETTLED: Final = (Fate.TRIED, Fate.DISCARDED)
Service = Annotated[str, typer.Argument(help="ingest, router, sender or analytics.")]
TopicOption = Annotated[str | None, typer.Option("--topic", help="Of origin: send.requested, or whole.")]
PartitionOption = Annotated[int | None, typer.Option("--partition", min=0, help="Of origin.")]
OffsetOption = Annotated[int | None, typer.Option("--offset", min=0, help="Of origin.")]
ReasonOption = Annotated[
    str | None, typer.Option("--reason", help="Such as not_json; invalid is all of them.")
]
PublisherOption = Annotated[
    str | None, typer.Option("--publisher", help="The client it names, or its source.")
]
SinceOption = Annotated[
    str | None, typer.Option("--since", help="Refused since: a span such as 2h, or an instant.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do it; without, it is only said.")]
UntilOption = Annotated[str | None, typer.Option("--until", help="Refused before: the same.")]


@dlq.command("list")
def list_letters(
    service: Service, *, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """Count the letters of a service that wait, by origin, reason and publisher, and say for how long."""
    heaps, settled = asyncio.run(_heaps(kafka_of(os.environ), _known(service)))
    now, largest_first = datetime.now(UTC), sorted(heaps.items(), key=lambda item: -item[1].count)
    if as_json:
        waiting = [heap_fields(*of, heap, now=now) for of, heap in largest_first]
        typer.echo(json.dumps({"waiting": waiting, "settled": settled}, indent=2))
        return
    for of, heap in largest_first:
        typer.echo(heap_line(*of, heap, now=now))
    done = [f"{settled[fate.value]} were {fate.value}" for fate in SETTLED if settled[fate.value]]
    if not heaps:
        done.insert(0, f"{service} has no dead letters that wait")
    if done:
        typer.echo(", ".join(done))


@dlq.command("show")
def show_letters(  # noqa: PLR0913 - each is an option a person types
    service: Service,
    *,
    topic: TopicOption = None,
    partition: PartitionOption = None,
    offset: OffsetOption = None,
    reason: ReasonOption = None,
    publisher: PublisherOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many of each partition.")] = 10,
    values: Annotated[bool, typer.Option("--values", help="Their contents, too: personal data.")] = False,
    by: ByOption = None,
) -> None:
    """Show letters one by one; their contents only to operators, who are put on record."""
    choice = _choice(
        topic=topic,
        partition=partition,
        offset=offset,
        reason=reason,
        publisher=publisher,
        since=since,
        until=until,
    )
    kafka = kafka_of(os.environ)
    if values:
        operator = operator_of(os.environ, kafka, by)
        asyncio.run(operator.account("letters_shown", _known(service), choice=choice.typed))
    for letter in asyncio.run(_newest(kafka, _known(service), choice, limit)):
        for line in letter_lines(letter, values=values):
            typer.echo(line)


@dlq.command("redrive")
def redrive_command(  # noqa: PLR0913 - as above
    service: Service,
    *,
    topic: TopicOption = None,
    partition: PartitionOption = None,
    offset: OffsetOption = None,
    reason: ReasonOption = None,
    publisher: PublisherOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    yes: YesOption = False,
    by: ByOption = None,
) -> None:
    """Give letters back to their service to be tried again; each once. Says first what it would do."""
    choice = _choice(
        topic=topic,
        partition=partition,
        offset=offset,
        reason=reason,
        publisher=publisher,
        since=since,
        until=until,
    )
    kafka = kafka_of(os.environ)
    if not yes:
        _print_plan(asyncio.run(plan_redrive(kafka, _known(service), choice)), "would be tried again")
        typer.echo("nothing was written: add --yes to do it")
        return
    operator = operator_of(os.environ, kafka, by)
    asyncio.run(operator.account("letters_redriven", _known(service), choice=choice.typed))
    plan, written = asyncio.run(redrive_letters(kafka, _known(service), choice))
    _print_plan(plan, "to be tried again")
    typer.echo(f"{written} letters were written to the redrive topic of {service}")


@dlq.command("discard")
def discard_command(  # noqa: PLR0913 - as above
    service: Service,
    *,
    why: Annotated[str, typer.Option("--why", help="For whoever asks later.")],
    topic: TopicOption = None,
    partition: PartitionOption = None,
    offset: OffsetOption = None,
    reason: ReasonOption = None,
    publisher: PublisherOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    yes: YesOption = False,
    by: ByOption = None,
) -> None:
    """Ask nobody about letters any more; they stay until their topic forgets. Says first which."""
    choice = _choice(
        topic=topic,
        partition=partition,
        offset=offset,
        reason=reason,
        publisher=publisher,
        since=since,
        until=until,
    )
    kafka = kafka_of(os.environ)
    plan = asyncio.run(plan_discard(kafka, _known(service), choice))
    for (of, refused), count in plan.by_reason.most_common():
        typer.echo(f"{count:>7}  {of}  {refused}")
    said = f"{len(plan.places)} letters {'are' if yes else 'would be'} discarded"
    typer.echo(f"{said}; {plan.settled} were tried again or discarded before, and are passed over")
    if not yes:
        typer.echo("nothing was written: add --yes to do it")
    elif plan.places:
        operator = operator_of(os.environ, kafka, by)
        account = operator.account(
            "letters_discarded", service, choice=choice.typed, why=why, letters=plan.places
        )
        asyncio.run(account)


def _print_plan(plan: RedrivePlan, what: str) -> None:
    for (topic, reason), count in plan.by_reason.most_common():
        typer.echo(f"{count:>7}  {topic}  {reason}")
    typer.echo(f"{len(plan.ready)} letters {what}; {plan.repeated} were before, and are passed over")
    for letter in plan.refused:
        place = f"{letter.record.partition} {letter.record.offset}"
        typer.echo(f"cannot be tried again: letter {place} {letter.obstacle}")
    if plan.refused_count:
        typer.echo(f"{plan.refused_count} letters cannot be tried again: ask their publishers to send anew")


async def _heaps(kafka: KafkaSettings, service: str) -> tuple[dict[tuple[str, str, str], Heap], Counter[str]]:
    heaps: defaultdict[tuple[str, str, str], Heap] = defaultdict(Heap)
    settled: Counter[str] = Counter()
    async with consumer_of(kafka) as consumer:
        fates = await Fates.of_service(consumer, service)
        async for letters in letters_in(consumer, dead_letters(service).name):
            for letter in letters:
                fate = fates.of(letter)
                if fate is not Fate.WAITS:
                    settled[fate.value] += 1
                    continue
                topic = letter.origin.topic if letter.origin else "?"
                heaps[topic, letter.reason, letter.publisher].add(letter)
    return heaps, settled


async def _newest(kafka: KafkaSettings, service: str, choice: Choice, limit: int) -> list[Letter]:
    newest: defaultdict[int, list[Letter]] = defaultdict(list)
    async with consumer_of(kafka) as consumer:
        async for letters in letters_in(consumer, dead_letters(service).name):
            for letter in filter(choice.takes, letters):
                kept = newest[letter.record.partition]
                kept.append(letter)
                del kept[:-limit]
    return [letter for _, kept in sorted(newest.items()) for letter in kept]


def _known(service: str) -> str:
    if service not in SERVICES:
        raise StartRefused(f"there is no service {service!r}: say one of {', '.join(SERVICES)}")
    return service


def _choice(  # noqa: PLR0913 - as above
    *,
    topic: str | None,
    partition: int | None,
    offset: int | None,
    reason: str | None,
    publisher: str | None,
    since: str | None,
    until: str | None,
) -> Choice:
    whole = topic if topic is None or topic.startswith(("garbo.", "http:")) else f"garbo.{topic}.v1"
    return Choice(
        topic=whole,
        partition=partition,
        offset=offset,
        reason=reason,
        publisher=publisher,
        since=instant_of(since, "--since") if since else None,
        until=instant_of(until, "--until") if until else None,
    )
