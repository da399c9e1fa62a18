"""The memory of what was sent: each message once, and its result the same for ever."""

from datetime import timedelta

import pytest

from garbo.common.events.addresses import Recipient
from garbo.common.events.grants import SendGranted
from garbo.sender.domain.outcomes import Accepted, Failed, NotYet, Unknown
from garbo.sender.domain.pair import EVERY_S
from garbo.sender.ports.attempts import PlannedAttempt
from services.sender.tests.support.builders import a_grant, a_send
from services.sender.tests.support.stand import Stand

pytestmark = pytest.mark.integration

THROTTLED = NotYet(130429, "number_throttled", slow_down=True)


async def _booked(stand: Stand, grant: SendGranted | None = None, *, epoch: int = 1) -> SendGranted:
    grant = (grant or a_grant()).model_copy(update={"epoch": epoch})
    await stand.door.book(grant)
    await stand.come(grant)
    return grant


async def test_a_new_message_has_no_past(stand: Stand) -> None:
    grant = a_grant()
    assert await stand.result(grant) is None
    assert await stand.come(grant) == "waiting"
    assert await stand.come(grant) == "known"


async def test_an_accepted_send_is_published_the_same_for_ever(stand: Stand) -> None:
    grant = await stand.begun()
    result = await stand.ended(grant, Accepted("ref.a"))
    assert result is not None
    assert (result.outcome, result.platform_message_ref) == ("accepted", "ref.a")
    assert result.started_at is not None
    assert result.recorded_at >= result.started_at
    for _ in range(2):
        assert await stand.come(grant) == "told"
        again = await stand.result(grant)
        assert again is not None
        assert again.model_dump_json() == result.model_dump_json()


async def test_a_second_begin_of_the_same_grant_is_elsewhere(stand: Stand) -> None:
    grant = await stand.begun()
    for _ in range(2):
        assert (await stand.begin(grant)).outcome == "elsewhere"


async def test_what_was_not_sent_may_be_sent_again_under_the_same_claim(stand: Stand) -> None:
    grant = await stand.begun()
    assert await stand.ended(grant, THROTTLED) is None
    assert await stand.result(grant) is None
    again = await stand.begin(grant)
    assert (again.outcome, again.n, again.resent_count) == ("begun", 2, 0)
    result = await stand.ended(grant, Accepted("ref.b"), n=2)
    assert result is not None
    assert (result.attempt_id, result.possible_duplicate) == (f"{grant.message_id}.2", False)


async def test_a_late_answer_of_the_first_attempt_says_nothing_of_the_second(stand: Stand) -> None:
    grant = await stand.begun()
    await stand.ended(grant, THROTTLED)
    await stand.begin(grant)
    assert await stand.ended(grant, Failed(132001, "template_unknown"), n=1) is None
    assert await stand.door.attempts() == {
        f"{grant.message_id}.1": "rejected",
        f"{grant.message_id}.2": "dispatching",
    }


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
    await stand.abandoned(grant)
    result = await stand.ended(grant, Accepted("ref.late"))
    assert result is not None
    assert result.outcome == "accepted"


async def test_a_status_of_nobody_is_ignored(stand: Stand) -> None:
    assert await stand.status(a_grant(), "delivered") == []
    grant = await stand.begun()
    for n in (0, 2, 7):
        assert await stand.status(grant, "delivered", n=n) == []


async def test_recovery_takes_only_what_is_old(stand: Stand) -> None:
    grant = await stand.begun()
    assert await stand.attempts.abandon(older_than=timedelta(hours=1), limit=10) == []
    [result] = await stand.attempts.abandon(older_than=timedelta(0), limit=10)
    assert (result.message_id, result.outcome, result.reason) == (grant.message_id, "unknown", "interrupted")
    assert await stand.attempts.unknown_count() == 1


async def test_refusing_what_is_finished_tells_its_result(stand: Stand) -> None:
    grant = await stand.begun()
    result = await stand.ended(grant, Accepted("ref.a"))
    assert await stand.refused(grant, "lease_expired") == result


async def test_what_a_person_has_had_too_much_of_is_not_claimed_and_holds_up_nobody(stand: Stand) -> None:
    person = a_grant(lane="promo")
    grants = [a_grant(lane="promo").model_copy(update={"contact_id": person.contact_id}) for _ in range(31)]
    care = a_grant().model_copy(update={"contact_id": person.contact_id})
    other, group = a_grant(lane="promo"), a_grant(lane="promo", to=Recipient(group_id="group-1"))
    for grant in (*grants, care, other, group):
        await _booked(stand, grant)
    for grant in grants[:30]:
        assert (await stand.begin(grant)).outcome == "begun"
    limited, *others = await stand.attempts.begin(
        [PlannedAttempt(a_send(one), None) for one in (grants[30], other, group)]
    )
    assert [one.outcome for one in others] == ["begun", "begun"]
    assert limited.outcome == "too_soon"
    assert 4 < limited.after_s <= 6
    assert (await stand.begin(care)).outcome == "begun"
    refused = await stand.refused(grants[30], "pair_limited")
    assert refused is not None
    assert refused.outcome == "not_sent"


async def test_a_clock_that_stepped_back_silences_nobody_and_lends_nothing(stand: Stand) -> None:
    first, second, third = a_grant(), a_grant(), a_grant()
    same = {"contact_id": first.contact_id}
    second, third = second.model_copy(update=same), third.model_copy(update=same)
    for grant in (first, second, third):
        await _booked(stand, grant)
    await stand.begun(first)
    async with stand.door.database.connection() as connection:
        await connection.execute("UPDATE sender.pair_rate SET tat_us = tat_us + 3600000000")
    assert (await stand.begin(second)).outcome == "begun"
    answer = await stand.begin(third)
    assert answer.outcome == "too_soon"
    assert 0 < answer.after_s <= EVERY_S
