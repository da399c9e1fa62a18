"""Trying dead letters again: first what would be done, then doing it, each letter once."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from garbo.cli.cluster import Untyped, consumer_of, producer_of
from garbo.cli.dlq.fates import Fate, Fates
from garbo.cli.dlq.letters import Choice, Letter, Origin, letters_in
from garbo.common.errors import RetryLater, StartRefused
from garbo.common.events.topics import dead_letters, redrive
from garbo.common.runtime.broker import KafkaSettings

SHOWN: Final = 20
"""So many of those that cannot be tried again are named one by one."""


@dataclass(slots=True)
class RedrivePlan:
    """What becomes of the letters that were chosen."""

    ready: set[Origin] = field(default_factory=set)
    by_reason: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Of those that are ready, how many of each origin topic and reason."""
    refused: list[Letter] = field(default_factory=list)
    """The first of those that cannot be tried again."""
    refused_count: int = 0
    repeated: int = 0
    """Tried again before, and not refused since; or discarded."""

    def add(self, letter: Letter, *, fates: Fates) -> None:
        """Note one letter that was chosen."""
        fate = fates.of(letter)
        if fate is Fate.DISCARDED:
            self.repeated += 1
        elif letter.obstacle is not None or letter.origin is None:
            self.refused_count += 1
            if len(self.refused) < SHOWN:
                self.refused.append(letter)
        elif fate is Fate.TRIED:
            self.repeated += 1
        elif letter.origin not in self.ready:
            self.ready.add(letter.origin)
            self.by_reason[letter.origin.topic, letter.reason] += 1


async def plan_redrive(kafka: KafkaSettings, service: str, choice: Choice) -> RedrivePlan:
    """Find out what a redrive would do, and do nothing."""
    async with consumer_of(kafka) as consumer:
        return await _plan(consumer, service, choice)


async def redrive_letters(kafka: KafkaSettings, service: str, choice: Choice) -> tuple[RedrivePlan, int]:
    """Write the chosen letters to the service's redrive topic; tell how many Kafka has acknowledged.

    Each is written once: what stands in the redrive topic already is passed over, so that a redrive that was
    broken off is simply typed again. Raises `StartRefused` when Kafka takes no more.
    """
    to, written = redrive(service).name, 0
    async with consumer_of(kafka) as consumer, producer_of(kafka) as producer:
        plan = await _plan(consumer, service, choice)
        left = set(plan.ready)
        try:
            async for letters in letters_in(consumer, dead_letters(service).name):
                some = [letter for letter in letters if _take(letter, left)]
                await producer.publish([letter.again(to) for letter in some])
                written += len(some)
        except RetryLater as later:
            stopped = f"{written} letters were written, then Kafka took no more ({later.why})"
            raise StartRefused(f"{stopped}: type it again, these are passed over") from None
    return plan, written


async def _plan(consumer: Untyped, service: str, choice: Choice) -> RedrivePlan:
    fates = await Fates.of_service(consumer, service)
    plan = RedrivePlan()
    async for letters in letters_in(consumer, dead_letters(service).name):
        for letter in filter(choice.takes, letters):
            plan.add(letter, fates=fates)
    return plan


def _take(letter: Letter, left: set[Origin]) -> bool:
    if letter.obstacle is not None or letter.origin is None or letter.origin not in left:
        return False
    left.remove(letter.origin)
    return True
