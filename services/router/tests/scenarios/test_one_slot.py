"""Scenarios 22 and 23: of many requests and one slot one goes, the first in order, whoever decides."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from garbo.common.errors import RetryLater
from garbo.common.events.requests import SendRequested
from garbo.common.runtime.postgres import Database
from garbo.router.domain.decide import decide_and_count
from garbo.router.domain.instants import HOUR_US
from garbo.router.domain.policy import Policy
from garbo.router.outbound.postgres.store import PostgresStore
from services.router.tests.support.build import AT, consent, requested
from services.router.tests.support.build_domain import JUNE_5, a_request, a_state
from services.router.tests.support.claims import COUNTED
from services.router.tests.support.policies import ONE_A_DAY, MakePolicy
from services.router.tests.support.router import Router


def test_scenario_23_of_three_requests_and_one_slot_the_first_in_order_goes(make_policy: MakePolicy) -> None:
    late, soon = JUNE_5 + 2 * HOUR_US, JUNE_5 + HOUR_US
    requests = [
        a_request(4, priority=50),
        a_request(3, priority=60, expires_at_us=late),
        a_request(2, priority=60, expires_at_us=soon, requested_at_us=2),
        a_request(5, priority=60, expires_at_us=soon, requested_at_us=1),
        a_request(6, priority=60, expires_at_us=soon, requested_at_us=1),
    ]
    policy, state, verdicts = make_policy(ONE_A_DAY), a_state(), {}
    for request in sorted(requests, key=lambda r: r.arbitration_key):
        decision, state = decide_and_count(policy, state, request, JUNE_5)
        verdicts[request.request_id.int] = decision.verdict
    assert list(verdicts) == [5, 6, 2, 3, 4]
    assert [n for n, verdict in verdicts.items() if verdict == "allow"] == [5]


async def test_scenario_23_one_of_three_in_a_batch_by_priority_then_deadline_then_id(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy("id: c, type: cap, limit: 1, window: { rolling: 7d }")
    ids = sorted(uuid4() for _ in range(3))
    late, soon = AT + timedelta(hours=2), AT + timedelta(hours=1)
    pairs: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"priority": 80}, {"priority": 79}),
        ({"expires_at": soon}, {"expires_at": late}),
        ({"expires_at": late}, {}),
        ({"requested_at": AT - timedelta(seconds=1)}, {}),
        ({"request_id": ids[0]}, {"request_id": ids[1]}),
    ]
    for better, worse in pairs:
        to = {"phone": f"+39333{uuid4().int % 10**7:07d}"}
        worst = requested(to=to, priority=1)
        decided = await router.ask(worst, requested(to=to, **worse), requested(to=to, **better))
        verdicts = {d.request_id: d.verdict for d in decided}
        assert sorted(verdicts.values()) == ["allow", "defer", "defer"], "nothing is denied on an upper bound"
        allowed = next(d for d in decided if d.verdict == "allow")
        assert decided[0] == allowed, "told in the order decided"
        assert allowed.request_id != worst.request_id


@pytest.mark.integration
async def test_scenario_22_two_routers_on_hot_recipients_never_pass_the_cap_nor_deadlock(
    stored: Router, database: Database
) -> None:
    phones = [f"+39333{n:07d}" for n in range(200)]
    await stored.hear(*[consent(to={"phone": phone}) for phone in phones])
    dice = random.Random(7)
    requests = [requested(to={"phone": dice.choice(phones)}) for _ in range(2400)]
    routers = [Router(PostgresStore(database), stored.policy) for _ in range(3)]
    reasons = Counter[str]()

    async def work(router: Router, turn: int) -> None:
        own = requests[turn::2] if turn < 2 else requests[::3]  # the third repeats what others ask
        for start in range(0, len(own), 200):
            batch = own[start : start + 200]
            while not await told(router, batch):
                pass

    async def told(router: Router, batch: Sequence[SendRequested]) -> bool:
        try:
            await router.ask(*batch)
        except RetryLater as later:
            reasons[later.why] += 1
            return False
        return True

    async with asyncio.TaskGroup() as group:
        for turn, router in enumerate(routers):
            group.create_task(work(router, turn))
    async with database.connection() as connection:
        rows = await connection.fetch(COUNTED)
    assert not any("Deadlock" in why for why in reasons)
    assert max(row["sends"] for row in rows) == 3
    allowed = {d.message_id for r in routers for d in r.decided if d.verdict == "allow"}
    assert len(allowed) == sum(row["sends"] for row in rows)
    decided = {d.message_id: d.decision_id for r in routers for d in r.decided}
    assert len(decided) == len(requests)
