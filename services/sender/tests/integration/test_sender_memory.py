"""One suite for the fake memory and for PostgreSQL: whoever passes may be used for the other."""

from datetime import timedelta

import pytest

from garbo.common.events.addresses import Recipient
from garbo.common.events.grants import SendGranted
from garbo.sender.domain.outcomes import Accepted, Failed, NotYet, Unknown
from garbo.sender.ports import (
    BeginResult,
    Past,
    PlannedAttempt,
    RefusedGrant,
)
from services.sender.tests.support.builders import a_grant
from services.sender.tests.support.stand import Stand

pytestmark = pytest.mark.integration


async def test_a_new_message_has_no_past(stand: Stand) -> None:
    assert await stand.past(a_grant()) == Past()


async def test_an_accepted_send_is_published_the_same_for_ever(stand: Stand) -> None:
    grant = await stand.begun()
    result = await stand.ended(grant, Accepted("ref.a"))
    assert result is not None
    assert (result.outcome, result.platform_message_ref) == ("accepted", "ref.a")
    assert result.started_at is not None
    assert result.recorded_at >= result.started_at
    for _ in range(2):
        again = (await stand.past(grant)).result
        assert again is not None
        assert again.model_dump_json() == result.model_dump_json()


async def test_a_second_begin_of_the_same_grant_is_elsewhere(stand: Stand) -> None:
    grant = await stand.begun()
    for n in (1, 2):
        answer = await stand.attempts.begin([PlannedAttempt(grant, n, False, None)])
        assert answer[grant.message_id].outcome == "elsewhere"


async def test_the_database_forbids_a_second_live_attempt_even_when_asked_again(stand: Stand) -> None:
    grant = await stand.begun()
    answer = await stand.attempts.begin([PlannedAttempt(grant, 2, True, None)])
    assert answer[grant.message_id].outcome == "elsewhere"


async def test_a_left_over_attempt_becomes_unknown_when_its_grant_comes_again(stand: Stand) -> None:
    grant = await stand.begun()
    past = await stand.past(grant)
    assert past.result is not None
    assert (past.result.outcome, past.result.reason) == ("unknown", "interrupted")
    assert await stand.attempts.unknown_count() == 1


async def test_what_was_not_sent_may_be_sent_again_under_the_same_claim(stand: Stand) -> None:
    grant = await stand.begun()
    assert await stand.ended(grant, NotYet(130429, "number_throttled", slow_down=True)) is None
    past = await stand.past(grant)
    assert (past.attempts_count, past.claimed, past.result) == (1, True, None)
    await stand.begun(n=2, grant=grant)
    result = await stand.ended(grant, Accepted("ref.b"), n=2)
    assert result is not None
    assert result.attempt_id == f"{grant.message_id}.2"


async def test_a_grant_revoked_between_two_tries_is_not_sent(stand: Stand) -> None:
    grant = await stand.begun()
    await stand.ended(grant, NotYet(None, "unreachable"))
    await stand.revoke(grant)
    answer = (await stand.attempts.begin([PlannedAttempt(grant, 2, True, None)]))[grant.message_id]
    assert answer.result is not None
    assert (answer.outcome, answer.result.outcome, answer.result.reason) == ("refused", "not_sent", "revoked")


async def test_a_revoked_grant_is_refused_and_the_refusal_is_remembered(stand: Stand) -> None:
    grant = a_grant()
    await stand.book(grant)
    await stand.revoke(grant)
    answer = (await stand.attempts.begin([PlannedAttempt(grant, 1, False, None)]))[grant.message_id]
    assert answer.result is not None
    assert (await stand.past(grant)).result == answer.result


async def test_an_expired_lease_is_refused_by_the_claim(stand: Stand) -> None:
    grant = a_grant(valid_for=timedelta(seconds=-1))
    await stand.book(grant)
    answer = (await stand.attempts.begin([PlannedAttempt(grant, 1, False, None)]))[grant.message_id]
    assert answer.result is not None
    assert answer.result.reason == "lease_expired"


async def test_a_refusal_of_our_own_is_remembered(stand: Stand) -> None:
    grant = a_grant()
    results = await stand.attempts.refuse([RefusedGrant(grant, "window_closing")])
    assert results[grant.message_id].outcome == "not_sent"
    assert (await stand.past(grant)).result == results[grant.message_id]


async def test_a_new_grant_after_a_refusal_starts_anew(stand: Stand) -> None:
    old = a_grant()
    await stand.attempts.refuse([RefusedGrant(old, "lease_expired")])
    new = old.model_copy(update={"grant_id": a_grant().grant_id})
    assert (await stand.past(new)).result is None
    await stand.book(new)
    await stand.begun(grant=new)


async def test_another_grant_of_an_accepted_message_is_never_used(stand: Stand) -> None:
    old = await stand.begun()
    result = await stand.ended(old, Accepted("ref.a"))
    new = old.model_copy(update={"grant_id": a_grant().grant_id})
    assert (await stand.past(new)).result == result
    await stand.book(new)
    answer = await stand.attempts.begin([PlannedAttempt(new, 2, False, None)])
    assert answer[new.message_id].outcome == "elsewhere"


async def test_a_replaced_epoch_is_stale(stand: Stand) -> None:
    grant = await stand.begun(grant=await _booked(stand, epoch=2))
    past = await stand.past(grant.model_copy(update={"epoch": 1}))
    assert past.stale


async def test_the_grant_of_an_earlier_day_does_not_come_back(stand: Stand) -> None:
    old = await _booked(stand, epoch=2)
    await stand.attempts.refuse([RefusedGrant(old, "window_closing")])
    next_day = {"grant_id": a_grant().grant_id, "epoch": 1, "not_before": old.not_before + timedelta(days=1)}
    new = old.model_copy(update=next_day)
    await stand.book(new)
    await stand.begun(grant=new)
    assert (await stand.attempts.begin([PlannedAttempt(old, 2, False, None)]))[
        old.message_id
    ].outcome == "elsewhere"
    assert await stand.attempts.refuse([RefusedGrant(old, "lease_expired")]) == {}
    result = await stand.ended(new, Accepted("ref.a"))
    assert result is not None
    assert (result.grant_id, result.outcome) == (new.grant_id, "accepted")


async def test_a_grant_given_again_under_a_higher_epoch_is_sent(stand: Stand) -> None:
    first = await _booked(stand, epoch=1)
    refused = (await stand.attempts.refuse([RefusedGrant(first, "window_closing")]))[first.message_id]
    assert (refused.outcome, refused.reason, refused.code) == ("not_sent", "window_closing", None)
    again = first.model_copy(update={"epoch": 2})
    assert (await stand.past(again)).result is None
    await stand.rebook(again)
    await stand.begun(grant=again)
    assert (await stand.past(first)).stale


async def test_a_status_settles_an_unknown_send_within_its_own_time(stand: Stand) -> None:
    grant = await stand.begun()
    assert await stand.ended(grant, Unknown("timeout")) is not None
    [result] = await stand.status(grant, "delivered")
    assert (result.outcome, result.platform_message_ref) == ("accepted", "ref.s")
    assert result.started_at is not None
    assert result.started_at <= result.recorded_at <= result.started_at + timedelta(seconds=45)
    assert await stand.status(grant, "delivered") == [result]
    assert await stand.status(grant, "read") == []
    assert await stand.attempts.unknown_count() == 0


async def test_a_failed_status_settles_an_unknown_send_with_its_code(stand: Stand) -> None:
    grant = await stand.begun()
    await stand.ended(grant, Unknown("timeout"))
    [result] = await stand.status(grant, "failed", code=131026)
    assert (result.outcome, result.code, result.reason) == ("failed", 131026, "undeliverable")


async def test_a_status_before_the_answer_decides_and_the_answer_changes_nothing(stand: Stand) -> None:
    grant = await stand.begun()
    [result] = await stand.status(grant, "sent")
    assert result.outcome == "accepted"
    assert await stand.ended(grant, Accepted("ref.answer")) == result


async def test_an_answer_before_the_status_decides_and_the_status_changes_nothing(stand: Stand) -> None:
    grant = await stand.begun()
    await stand.ended(grant, Failed(132001, "template_unknown"))
    assert await stand.status(grant, "sent") == []


async def test_a_late_answer_of_a_process_taken_for_dead_still_counts(stand: Stand) -> None:
    grant = await stand.begun()
    await stand.past(grant)
    result = await stand.ended(grant, Accepted("ref.late"))
    assert result is not None
    assert result.outcome == "accepted"


async def test_a_status_of_nobody_is_ignored(stand: Stand) -> None:
    assert await stand.status(a_grant(), "delivered") == []


async def test_recovery_takes_only_what_is_old(stand: Stand) -> None:
    grant = await stand.begun()
    assert await stand.attempts.abandon(older_than=timedelta(hours=1), limit=10) == []
    [result] = await stand.attempts.abandon(older_than=timedelta(0), limit=10)
    assert (result.message_id, result.outcome) == (grant.message_id, "unknown")


async def _booked(stand: Stand, *, epoch: int) -> SendGranted:
    grant = a_grant().model_copy(update={"epoch": epoch})
    await stand.book(grant)
    return grant


async def test_what_was_published_unsent_is_not_sent_after_all(stand: Stand) -> None:
    grant = await stand.begun()
    await stand.past(grant)  # another process takes the attempt for left over
    result = await stand.ended(grant, NotYet(130429, "number_throttled"))
    assert result is not None
    assert result.outcome == "not_sent"
    answer = await stand.attempts.begin([PlannedAttempt(grant, 2, True, None)])
    assert answer[grant.message_id].outcome == "elsewhere"
    assert (await stand.past(grant)).result == result


async def test_a_grant_that_is_on_its_way_elsewhere_is_not_called_unsent(stand: Stand) -> None:
    grant = await stand.begun()
    await stand.revoke(grant)
    for again in (False, True):
        answer = await stand.attempts.begin([PlannedAttempt(grant, 2, again, None)])
        assert answer[grant.message_id] == BeginResult(grant.message_id, "elsewhere")
    assert await stand.attempts.refuse([RefusedGrant(grant, "lease_expired")]) == {}
    result = await stand.ended(grant, Accepted("ref.on.its.way"))
    assert result is not None
    assert result.outcome == "accepted"


async def test_refusing_what_is_finished_tells_its_result(stand: Stand) -> None:
    grant = await stand.begun()
    result = await stand.ended(grant, Accepted("ref.a"))
    assert await stand.attempts.refuse([RefusedGrant(grant, "lease_expired")]) == {grant.message_id: result}


async def test_what_a_person_has_had_too_much_of_is_not_claimed_and_holds_up_nobody(stand: Stand) -> None:
    person = a_grant(lane="promo")
    grants = [a_grant(lane="promo").model_copy(update={"contact_id": person.contact_id}) for _ in range(30)]
    care = a_grant().model_copy(update={"contact_id": person.contact_id})
    other, group = a_grant(lane="promo"), a_grant(to=Recipient(group_id="group-1"))
    for grant in (*grants, care, other, group):
        await stand.book(grant)
    planned = [PlannedAttempt(grant, 1, False, None) for grant in (*grants, other, group)]
    answer = await stand.attempts.begin(planned)
    limited = [grant for grant in grants if answer[grant.message_id].outcome == "too_soon"]
    assert [begun.outcome for begun in answer.values()].count("begun") == 31
    assert len(limited) == 1
    assert 0 < answer[limited[0].message_id].after_s <= 1
    assert await stand.past(limited[0]) == Past()
    begun = await stand.attempts.begin([PlannedAttempt(care, 1, False, None)])
    assert begun[care.message_id].outcome == "begun"
    refused = await stand.attempts.refuse([RefusedGrant(limited[0], "pair_limited")])
    assert refused[limited[0].message_id].outcome == "not_sent"


@pytest.mark.parametrize("used", [False, True], ids=["waiting", "used"])
async def test_a_grant_of_another_message_is_refused_and_stays_with_its_own(stand: Stand, used: bool) -> None:
    grant = a_grant()
    await stand.book(grant)
    if used:
        await stand.begun(grant=grant)
    forged = grant.model_copy(update={"message_id": a_grant().message_id})
    answers = await stand.attempts.begin([PlannedAttempt(g, 1, False, None) for g in (forged, grant)])
    answer = answers[forged.message_id]
    assert answer.result is not None
    assert (answer.outcome, answer.result.reason) == ("refused", "unknown_grant")
    assert answers[grant.message_id].outcome == ("elsewhere" if used else "begun")
    assert (await stand.past(forged)).result == answer.result


async def test_a_claimed_grant_of_which_nobody_has_an_attempt_is_refused(stand: Stand) -> None:
    grant = a_grant()
    await stand.book(grant)
    await stand.claim(grant)
    answer = (await stand.attempts.begin([PlannedAttempt(grant, 1, False, None)]))[grant.message_id]
    assert answer.result is not None
    assert (answer.outcome, answer.result.reason) == ("refused", "unknown_grant")
