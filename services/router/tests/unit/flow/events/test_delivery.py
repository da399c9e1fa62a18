"""Results and statuses that contradict each other: slots come back once and only where they should."""

from collections.abc import Callable
from itertools import permutations

from garbo.common.events.base import Event
from garbo.router.domain.policy import Policy
from garbo.router.outbound.postgres.templates import seeds
from services.router.tests.support.build import AT, business, requested, result, status
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.router import Router


async def test_one_members_failure_does_not_give_back_a_groups_slot(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy("id: c, type: cap, limit: 1, window: { rolling: 7d }")
    asked = requested(to={"group_id": "g1"})
    await router.ask(asked)
    await router.hear(result(router.granted[0], "accepted", wamid="wamid.g"))
    failed = status(asked.message_id, "failed", code=131026)
    await router.hear(failed.model_copy(update={"participant": "+393331112222"}))
    (second,) = await router.ask(requested(to={"group_id": "g1"}))
    assert (second.verdict, second.rule) == ("deny", "c"), "free in a week, later than a request waits"


async def test_unsent_after_unknown_gives_the_slot_back(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy("id: c, type: cap, limit: 1, window: { rolling: 7d }")
    await router.ask(requested())
    granted = router.granted[0]
    unknown = result(granted, "unknown", reason="interrupted")
    unsent = result(granted, "not_sent", reason="number_throttled")
    await router.hear(unknown, unsent, unknown)
    (second,) = await router.ask(requested())
    assert (router.decided[1].sequence, router.decided[1].reason) == (2, "number_throttled")
    assert second.verdict == "allow"


async def test_failure_told_twice_and_a_late_sent_leave_the_slot_free_in_any_order(
    make_policy: Callable[..., Policy],
) -> None:
    policy = make_policy("id: c, type: cap, limit: 1, window: { rolling: 7d }")
    for order in permutations(range(4)):
        store = InMemoryStore()
        store.know(seeds(business()))
        router = Router(store, policy)
        asked = requested()
        await router.ask(asked)
        events: list[Event] = [
            result(router.granted[0], "unknown", started_at=AT),
            result(router.granted[0], "failed", code=131026),
            status(asked.message_id, "failed", code=131026),
            status(asked.message_id, "sent"),
        ]
        for place in order:
            await router.hear(events[place])
        (second,) = await router.ask(requested())
        assert second.verdict == "allow", order
