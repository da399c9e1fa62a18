"""A campaign's send is counted for life on PostgreSQL, through all that becomes of its grant."""

from collections.abc import Callable

import pytest

from garbo.router.domain.policy import Policy
from services.router.tests.support.build import requested, result, status
from services.router.tests.support.policies import ONCE_A_CAMPAIGN
from services.router.tests.support.router import Router

pytestmark = pytest.mark.integration


async def test_a_campaign_is_not_sent_twice_once_it_was_accepted(
    stored: Router, make_policy: Callable[..., Policy]
) -> None:
    stored.policy = make_policy(ONCE_A_CAMPAIGN)
    (allowed,) = await stored.ask(requested(campaign="summer"))
    assert allowed.verdict == "allow"
    (grant,) = stored.granted
    await stored.hear(result(grant, "accepted"))
    await stored.hear(status(grant.message_id, "delivered"))
    (again,) = await stored.ask(requested(campaign="summer"))
    assert (again.verdict, again.rule) == ("deny", "once")


async def test_a_campaign_may_be_sent_again_once_it_never_arrived(
    stored: Router, make_policy: Callable[..., Policy]
) -> None:
    stored.policy = make_policy(ONCE_A_CAMPAIGN)
    await stored.ask(requested(campaign="summer"))
    (grant,) = stored.granted
    await stored.hear(result(grant, "accepted"))
    await stored.hear(status(grant.message_id, "failed", code=131026))
    (again,) = await stored.ask(requested(campaign="summer"))
    assert again.verdict == "allow"


async def test_a_slot_given_back_is_free_for_life_under_whichever_policy_it_came_back(
    stored: Router, make_policy: Callable[..., Policy]
) -> None:
    stored.policy = make_policy(ONCE_A_CAMPAIGN)
    await stored.ask(requested(campaign="summer"))
    (grant,) = stored.granted
    stored.policy = make_policy("id: week, type: cap, limit: 1, window: { rolling: 7d }")
    await stored.hear(result(grant, "failed"))
    stored.policy = make_policy(ONCE_A_CAMPAIGN)
    (again,) = await stored.ask(requested(campaign="summer"))
    assert again.verdict == "allow"
