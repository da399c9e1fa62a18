"""What is said to be attempted elsewhere has a limit: no record holds its lane until its lease ends."""

from uuid import uuid4

import pytest

from garbo.common.errors import Reject, RetryLater
from garbo.sender.flow.elsewhere import ELSEWHERE_S, FORGET_S, Elsewhere
from garbo.sender.ports import PlannedAttempt
from services.sender.tests.support.builders import a_grant
from services.sender.tests.support.postgres import SenderDatabase
from services.sender.tests.support.running_sender import a_sender

NOWHERE = "http://localhost:1"


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_message_is_elsewhere_for_a_minute_at_most() -> None:
    clock, one, other = Clock(), uuid4(), uuid4()
    elsewhere = Elsewhere(clock)
    assert not elsewhere.too_long([one])
    clock.now_s = ELSEWHERE_S - 1
    assert not elsewhere.too_long([one, other])
    clock.now_s += 1
    assert not elsewhere.too_long([other])
    assert elsewhere.too_long([other, one])


def test_what_is_not_heard_of_again_is_forgotten() -> None:
    clock, one = Clock(), uuid4()
    elsewhere = Elsewhere(clock)
    elsewhere.too_long([one])
    clock.now_s = FORGET_S
    assert not elsewhere.too_long([one])


@pytest.mark.integration
async def test_a_grant_that_is_elsewhere_for_ever_is_rejected(
    sender_database: SenderDatabase,
) -> None:
    clock, lost = Clock(), a_grant()
    await sender_database.book(lost)
    async with a_sender(sender_database, NOWHERE, elsewhere=Elsewhere(clock)) as sender:
        await sender.attempts.begin([PlannedAttempt(lost, 1, False, None)])
        await sender_database.lose(lost)
        with pytest.raises(RetryLater, match="attempted_elsewhere"):
            await sender.send(lost)
        clock.now_s = ELSEWHERE_S
        with pytest.raises(Reject, match="attempted_elsewhere"):
            await sender.send(lost)


@pytest.mark.integration
async def test_a_forged_grant_is_refused_at_once(
    sender_database: SenderDatabase,
) -> None:
    used = a_grant()
    await sender_database.book(used)
    async with a_sender(sender_database, NOWHERE) as sender:
        await sender.attempts.begin([PlannedAttempt(used, 1, False, None)])
        forged = used.model_copy(update={"message_id": uuid4()})
        await sender.send(forged)
        (result,) = sender.published(forged)
        assert (result.outcome, result.reason) == ("not_sent", "unknown_grant")
