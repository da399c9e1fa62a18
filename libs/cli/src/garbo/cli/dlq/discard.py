"""Discarding dead letters: they stay until their topic forgets, and nobody is asked about them again."""

from collections import Counter
from dataclasses import dataclass, field

from garbo.cli.cluster import consumer_of
from garbo.cli.dlq.fates import Fate, Fates
from garbo.cli.dlq.letters import Choice, letters_in
from garbo.common.events.topics import dead_letters
from garbo.common.runtime.broker import KafkaSettings


@dataclass(slots=True)
class DiscardPlan:
    """Which letters would be discarded."""

    places: list[str] = field(default_factory=list)
    by_reason: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many of each origin topic and reason."""
    settled: int = 0
    """Chosen, and tried again or discarded before."""


async def plan_discard(kafka: KafkaSettings, service: str, choice: Choice) -> DiscardPlan:
    """Find the letters that are meant and still wait for somebody; do nothing. Raises `StartRefused`."""
    plan = DiscardPlan()
    async with consumer_of(kafka) as consumer:
        fates = await Fates.of_service(consumer, service)
        async for letters in letters_in(consumer, dead_letters(service).name):
            for letter in filter(choice.takes, letters):
                if fates.of(letter) is not Fate.WAITS:
                    plan.settled += 1
                    continue
                plan.places.append(letter.place)
                plan.by_reason[letter.origin.topic if letter.origin else "?", letter.reason] += 1
    return plan
