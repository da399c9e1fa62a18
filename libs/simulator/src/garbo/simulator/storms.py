"""Bursts of webhooks: many customers write at once, or Meta tells again what it told before."""

from typing import Annotated, Literal

import orjson
from pydantic import Field

from garbo.simulator.assets.asset import Asset
from garbo.simulator.graph.accounts import Accounts
from garbo.simulator.ledger import Ledger
from garbo.simulator.population.crowd import Crowd
from garbo.simulator.population.reactions import QUESTIONS, Reply
from garbo.simulator.webhooks.outbox import Outbox
from garbo.simulator.webhooks.updates import Update


class Storm(Asset):
    """`POST /control/storm`."""

    kind: Literal["messages", "statuses"]
    """messages: the population writes, one after the other. statuses: `delivered` of the newest sends."""
    count: Annotated[int, Field(ge=1, le=100_000)]


def blow(storm: Storm, *, accounts: Accounts, crowd: Crowd, ledger: Ledger, outbox: Outbox) -> int:
    """Tell it all at once; gives how many were told: no more than there is room for."""
    if storm.kind == "messages":
        return _written(storm.count, crowd, outbox)
    entries = orjson.loads(ledger.entries(after=len(ledger) - storm.count, limit=storm.count))
    for n, entry in enumerate(entries):
        if not outbox.room:
            return n
        item = {
            "id": entry["wamid"],
            "status": "delivered",
            "timestamp": str(entry["at_us"] // 1_000_000),
            "recipient_user_id": crowd.customers.at(entry["recipient"]).user_id,
        }
        if entry["biz_opaque"] is not None:
            item["biz_opaque_callback_data"] = entry["biz_opaque"]
        outbox.plan(Update(accounts.numbers[entry["number_id"]], "statuses", item, None))
    return len(entries)


def _written(count: int, crowd: Crowd, outbox: Outbox) -> int:
    people = crowd.customers.population
    for n in range(count if people else 0):
        if not outbox.room:
            return n
        customer = people[n % len(people)]
        crowd.write(customer, Reply(QUESTIONS[n % len(QUESTIONS)]), number=crowd.number_of(customer))
    return count if people else 0
