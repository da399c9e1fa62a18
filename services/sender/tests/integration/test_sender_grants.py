"""Which grant speaks for a message: what is refused, replaced, taken back or forged is not sent."""

from datetime import timedelta

import pytest

from garbo.common.events.grants import SendGranted
from garbo.sender.domain.outcomes import Accepted, NotYet, Unknown
from garbo.sender.domain.retries import RESEND_AFTER
from garbo.sender.ports.attempts import PlannedAttempt, RefusedGrant
from services.sender.tests.support.builders import a_grant, a_send
from services.sender.tests.support.stand import Stand

pytestmark = pytest.mark.integration

THROTTLED = NotYet(130429, "number_throttled", slow_down=True)


async def _booked(stand: Stand, grant: SendGranted | None = None, *, epoch: int = 1) -> SendGranted:
    grant = (grant or a_grant()).model_copy(update={"epoch": epoch})
    await stand.door.book(grant)
    await stand.come(grant)
    return grant


def granted_again(grant: SendGranted, *, days: int = 1) -> SendGranted:
    """Give the grant of a later day for the same message."""
    new = {"grant_id": a_grant().grant_id, "epoch": 1, "not_before": grant.not_before + timedelta(days=days)}
    return grant.model_copy(update=new)


async def test_a_grant_revoked_between_two_tries_is_not_sent(stand: Stand) -> None:
    grant = await stand.begun()
    await stand.ended(grant, NotYet(None, "unreachable"))
    await stand.door.revoke(grant)
    assert (await stand.begin(grant)).outcome == "refused"
    result = await stand.result(grant)
    assert result is not None
    assert (result.outcome, result.reason) == ("not_sent", "revoked")


async def test_a_lease_that_ended_between_two_tries_is_not_sent(stand: Stand) -> None:
    grant = await stand.begun()
    await stand.ended(grant, NotYet(None, "unreachable"))
    ended = grant.model_copy(update={"valid_until": grant.not_before - timedelta(seconds=1)})
    assert (await stand.begin(ended)).outcome == "refused"
    result = await stand.result(grant)
    assert result is not None
    assert (result.outcome, result.reason) == ("not_sent", "lease_expired")


async def test_a_revoked_grant_is_refused_and_the_refusal_is_remembered(stand: Stand) -> None:
    grant = await _booked(stand)
    await stand.door.revoke(grant)
    assert (await stand.begin(grant)).outcome == "refused"
    result = await stand.result(grant)
    assert result is not None
    assert (result.outcome, result.reason, result.attempt_id) == ("not_sent", "revoked", None)
    assert await stand.come(grant) == "told"
    assert (await stand.begin(grant)).outcome == "elsewhere"


async def test_an_expired_lease_is_refused_by_the_claim(stand: Stand) -> None:
    grant = await _booked(stand, a_grant(valid_for=timedelta(seconds=-1)))
    assert (await stand.begin(grant)).outcome == "refused"
    result = await stand.result(grant)
    assert result is not None
    assert result.reason == "lease_expired"


async def test_a_refusal_of_our_own_is_remembered(stand: Stand) -> None:
    grant = await _booked(stand)
    result = await stand.refused(grant, "window_closing")
    assert result is not None
    assert result.outcome == "not_sent"
    assert await stand.result(grant) == result


async def test_a_new_grant_after_a_refusal_starts_anew(stand: Stand) -> None:
    old = await _booked(stand)
    await stand.refused(old, "lease_expired")
    new = await _booked(stand, granted_again(old))
    assert (await stand.begin(new)).outcome == "begun"


async def test_another_grant_of_an_accepted_message_is_never_used(stand: Stand) -> None:
    old = await stand.begun()
    result = await stand.ended(old, Accepted("ref.a"))
    new = granted_again(old)
    await stand.door.book(new)
    assert await stand.come(new) == "told"
    assert (await stand.begin(new)).outcome == "elsewhere"
    assert await stand.result(new) == result


@pytest.mark.parametrize("lane", ["care", "promo"])
async def test_another_grant_of_a_message_that_may_have_arrived_is_never_used(
    stand: Stand, lane: str
) -> None:
    old = await stand.begun(await _booked(stand, a_grant().model_copy(update={"lane": lane})))
    await stand.ended(old, Unknown("timeout"))
    await stand.age(old, 2 * RESEND_AFTER)
    new = granted_again(old)
    await stand.door.book(new)
    assert await stand.come(new) == "told"
    assert (await stand.begin(new)).outcome == "elsewhere"


async def test_a_replaced_epoch_is_stale(stand: Stand) -> None:
    grant = await stand.begun(await _booked(stand, epoch=2))
    assert await stand.come(grant.model_copy(update={"epoch": 1})) == "stale"


async def test_the_grant_of_an_earlier_day_does_not_come_back(stand: Stand) -> None:
    old = await _booked(stand, epoch=2)
    await stand.refused(old, "window_closing")
    new = granted_again(old)
    await stand.begun(await _booked(stand, new))
    assert (await stand.begin(old)).outcome == "elsewhere"
    assert await stand.come(old) == "stale"
    assert await stand.refused(old, "lease_expired") is None
    result = await stand.ended(new, Accepted("ref.a"))
    assert result is not None
    assert (result.grant_id, result.outcome) == (new.grant_id, "accepted")


async def test_a_grant_given_again_under_a_higher_epoch_is_sent(stand: Stand) -> None:
    first = await _booked(stand, epoch=1)
    refused = await stand.refused(first, "window_closing")
    assert refused is not None
    assert (refused.outcome, refused.reason, refused.code) == ("not_sent", "window_closing", None)
    again = first.model_copy(update={"epoch": 2})
    await stand.door.rebook(again)
    await stand.begun(again)
    assert await stand.come(first) == "stale"


async def test_what_waits_is_replaced_by_its_newer_grant_and_keeps_its_place(stand: Stand) -> None:
    old = await _booked(stand)
    new = await _booked(stand, granted_again(old))
    assert await stand.come(old) == "known"
    await stand.door.revoke(old)
    assert (await stand.begin(new)).outcome == "begun"
    assert await stand.refused(old, "revoked") is None


async def test_a_grant_that_is_on_its_way_elsewhere_is_not_called_unsent(stand: Stand) -> None:
    grant = await stand.begun()
    await stand.door.revoke(grant)
    for _ in range(2):
        assert (await stand.begin(grant)).outcome == "elsewhere"
    assert await stand.refused(grant, "lease_expired") is None
    result = await stand.ended(grant, Accepted("ref.on.its.way"))
    assert result is not None
    assert result.outcome == "accepted"


@pytest.mark.parametrize("used", [False, True], ids=["waiting", "used"])
async def test_a_grant_of_another_message_is_refused_and_stays_with_its_own(stand: Stand, used: bool) -> None:
    grant = await _booked(stand)
    if used:
        await stand.begun(grant)
    forged = grant.model_copy(update={"message_id": a_grant().message_id, "contact_id": a_grant().contact_id})
    await stand.come(forged)
    first, second = await stand.attempts.begin([PlannedAttempt(a_send(g), None) for g in (forged, grant)])
    assert first.outcome == "refused"
    assert second.outcome == ("elsewhere" if used else "begun")
    result = await stand.result(forged)
    assert result is not None
    assert result.reason == "unknown_grant"


async def test_a_claimed_grant_of_which_nobody_has_an_attempt_is_refused(stand: Stand) -> None:
    grant = await _booked(stand)
    await stand.door.claim(grant)
    assert (await stand.begin(grant)).outcome == "refused"
    result = await stand.result(grant)
    assert result is not None
    assert result.reason == "unknown_grant"


async def test_what_two_find_too_late_at_once_is_refused_once(stand: Stand) -> None:
    late = await _booked(stand, a_grant(valid_for=timedelta(seconds=-1)))
    refused = await stand.attempts.refuse([RefusedGrant(a_send(late), "lease_expired")] * 2)
    assert [result.reason for result in refused.values()] == ["lease_expired"]
