"""The shop: consents at the start, order updates all the time, a campaign to many now and then."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final
from uuid import uuid4

import structlog

from garbo.simulator.business.publisher import Json, Publisher
from garbo.simulator.business.requests import Offer, campaign, consents, order_update, zones

MESSAGES: Final = "/v1/messages"
CONSENTS: Final = "/v1/consents"
CONTACTS: Final = "/v1/contacts"
LIFETIMES: Final = (timedelta(minutes=30), timedelta(hours=12))
"""How long a campaign's promos may wait."""
MINUTE_S: Final = 60.0
BUYERS: Final = 3
"""Every third customer has an order on its way; the others hear of the shop by promos alone."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pace:
    """How much the shop does."""

    utility_per_minute: float
    campaign_every_s: float
    campaign_size: int
    consent_ratio: float
    zone_ratio: float = 0


class Shop:
    """Publishes as a marketing and an order system would."""

    def __init__(
        self, publisher: Publisher, offer: Offer, *, pace: Pace, simulator_url: str, seed: str
    ) -> None:
        self._publisher = publisher
        self._offer = offer
        self._pace = pace
        self._simulator_url = simulator_url
        self._random = Random(f"{seed}/shop")  # noqa: S311 - a seeded world, not a secret

    async def run(self) -> None:
        """Work for ever."""
        people = await self._publisher.people(self._simulator_url)
        now = datetime.now(UTC)
        records = consents(people, brand=self._offer.brand, ratio=self._pace.consent_ratio, now=now)
        await self._publisher.publish(CONSENTS, records, key=f"consents-{uuid4()}")
        log.info("consents recorded", count=len(records))
        await self._publisher.publish(
            CONTACTS, zones(people, ratio=self._pace.zone_ratio, now=now), key=f"zones-{uuid4()}"
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_updates(people[::BUYERS]))
            group.create_task(self._run_campaigns(people))
        log.info("nobody to write to, or nothing to say")
        await asyncio.Event().wait()  # the process goes on: its help desk has work

    async def _send_updates(self, people: list[Json]) -> None:
        offer, rate = self._offer, self._pace.utility_per_minute
        while people and offer.updates and rate > 0:
            await asyncio.sleep(self._random.expovariate(rate / MINUTE_S))
            person, template = self._random.choice(people), self._random.choice(offer.updates)
            asked = order_update(person, template, brand=offer.brand, request_id=uuid4())
            await self._publisher.publish(MESSAGES, [asked], key=asked["request_id"])

    async def _run_campaigns(self, people: list[Json]) -> None:
        offer, pace = self._offer, self._pace
        while people and offer.promos:
            now, template = datetime.now(UTC), self._random.choice(offer.promos)
            chosen = self._random.sample(people, min(len(people), pace.campaign_size))
            named = f"{template.name[:60]}-{now:%m%d-%H%M%S}"
            audience = [(uuid4(), person) for person in chosen]
            until = now + self._random.choice(LIFETIMES)
            asked = campaign(audience, template, brand=offer.brand, name=named, until=until)
            await self._publisher.publish(MESSAGES, asked, key=named)
            log.info("campaign published", campaign=named, people=len(asked))
            await asyncio.sleep(pace.campaign_every_s)
