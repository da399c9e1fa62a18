"""`python -m services.sender.tests.model.order`: whatever is refused for now, nobody overtakes their own.

The real flow on a real PostgreSQL, over a platform in a bad mood: too fast for the number, too fast for the
person, unreachable, in trouble, slow. What waits for its time is hurried, so that a history takes seconds.
"""

import argparse
import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid4

from garbo.common.events.decisions import Lane
from garbo.common.events.grants import SendGranted
from garbo.sender.domain.outcomes import Answer, Answered, Broke
from garbo.sender.domain.queued_send import QueuedSend
from libs.common.tests.support.waiting import until
from services.sender.tests.model.explorer import own_postgres
from services.sender.tests.support.builders import NUMBER, a_grant
from services.sender.tests.support.fakes import accepting
from services.sender.tests.support.postgres import SenderDatabase, sender_database_on
from services.sender.tests.support.running_sender import a_sender_over

PEOPLE, OF_EACH = 6, 6
RATE: Final = 400.0
SLOWEST_S: Final = 0.03
MOODS: Final[tuple[tuple[float, Answer], ...]] = (
    (0.12, Answered(400, {"error": {"code": 131056}})),
    (0.02, Answered(429, {"error": {"code": 130429}})),
    (0.05, Broke("unreachable")),
    (0.10, Answered(400, {"error": {"code": 131000}})),
)
"""How often the platform answers what; else it accepts."""
IN_MEMORY: Final = (3, 20, 512)
"""Messages of a line: what has no room is read later."""
Line = tuple[UUID, Lane]


@dataclass
class MoodyWhatsApp:
    """`WhatsApp` as dice have it; it knows what it accepted, in order."""

    dice: random.Random
    accepted: defaultdict[Line, list[UUID]] = field(default_factory=lambda: defaultdict(list))

    async def post(self, send: QueuedSend, *, attempt_id: str) -> Answer:
        """See `WhatsApp`."""
        await asyncio.sleep(self.dice.random() * SLOWEST_S)
        drawn = self.dice.random()
        for share, answer in MOODS:
            if drawn < share:
                return answer
            drawn -= share
        self.accepted[send.contact_id, send.lane].append(send.message_id)
        return accepting(attempt_id)


def _some_grants(dice: random.Random) -> list[SendGranted]:
    lanes: tuple[Lane, Lane] = ("care", "promo")
    places = [(person, lane) for person in (uuid4() for _ in range(PEOPLE)) for lane in lanes] * OF_EACH
    dice.shuffle(places)
    return [a_grant(lane=lane).model_copy(update={"contact_id": person}) for person, lane in places]


async def history(database: SenderDatabase, seed: int) -> list[str]:
    """Live one; say who was overtaken."""
    dice = random.Random(seed)
    grants, whatsapp = _some_grants(dice), MoodyWhatsApp(dice)
    await database.book(*grants)
    in_memory = dice.choice(IN_MEMORY)
    async with a_sender_over(database, whatsapp, rates={NUMBER: RATE}, in_memory=in_memory) as sender:
        start = 0
        while start < len(grants):
            some = grants[start : start + dice.randint(1, 20)]
            await sender.take(*some)
            start += len(some)

        async def told() -> bool:
            await database.hurry()
            await database.end_rests(RATE)
            return {r.message_id for r in sender.results.published} >= {g.message_id for g in grants}

        await until(told)
    return [
        fault for line in whatsapp.accepted if (fault := _overtaken(grants, line, whatsapp.accepted[line]))
    ]


def _overtaken(grants: Sequence[SendGranted], line: Line, accepted: Sequence[UUID]) -> str | None:
    asked = [g.message_id for g in grants if (g.contact_id, g.lane) == line and g.message_id in accepted]
    return None if asked == list(accepted) else f"{line[1]}: asked {asked}, accepted {accepted}"


async def histories(database: SenderDatabase, *, count: int, seed: int) -> list[str]:
    """Live several, one after the other."""
    return [fault for n in range(count) for fault in await history(database, seed + n)]


async def _run(count: int, seed: int) -> int:
    with own_postgres() as postgres:
        async with sender_database_on(postgres) as database:
            faults = await histories(database, count=count, seed=seed)
    for fault in faults[:20]:
        print(fault)  # noqa: T201 - for people
    print(f"{count} histories of {2 * PEOPLE * OF_EACH} messages; faults: {len(faults)}")  # noqa: T201 - for people
    return int(bool(faults))


def main() -> int:
    """Live so many; 1 when somebody was overtaken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    return asyncio.run(_run(asked.count, asked.seed))


if __name__ == "__main__":
    raise SystemExit(main())
