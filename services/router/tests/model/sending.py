"""What the sender and the platform do in a small world."""

from garbo.common.events.ids import attempt_id_of, platform_message_ref
from garbo.common.events.results import Outcome, SendResult
from garbo.common.events.statuses import MessageStatus
from garbo.router.domain.instants import to_datetime
from garbo.router.domain.values import replace
from services.router.tests.model.cast import PHONES, SECOND_US, Message, whole_second
from services.router.tests.model.facts import Sent
from services.router.tests.model.ground import Ground
from services.router.tests.model.plans import SEND_BUDGET_US
from services.router.tests.support.build import status


class SenderSide(Ground):
    """Claims, attempts, their answers and their statuses."""

    async def claim(self, nth: int) -> None:
        """Let the sender claim a grant, as `router.claim_grants` lets it."""
        message = self._pick(nth, "reserved")
        if message is None:
            return
        if self.now_us >= message.valid_until_us:
            await self._result(message, "not_sent", reason="lease_expired")
            message.state = "released"
            del self.facts_of(message).sends[message.event.message_id]
        else:
            key = next(
                k for k, g in self.store.tables.grants.items() if g == self.grants[message.event.message_id]
            )
            grant = self.store.tables.grants[key]
            assert grant.state == "reserved", f"a grant that stands is {grant.state}"
            self.store.tables.grants[key] = replace(grant, state="dispatched")
            message.state = "dispatched"
            message.claimed_us, message.claimed_real_us = self.now_us, self.real_us

    async def accept(self, nth: int, delay_s: int = 0) -> None:
        """Let the platform accept a message, some seconds after its claim, and the sender record that."""
        message = self._pick(nth, "dispatched")
        if message is None:
            return
        self._arrive(message, delay_s)
        await self._result(message, "accepted")
        message.state = "accepted"
        self._sent(message, self.now_us)

    async def fail(self, nth: int) -> None:
        """Let the platform refuse a message."""
        message = self._pick(nth, "dispatched")
        if message is None:
            return
        await self._result(message, "failed")
        message.state = "failed"
        del self.facts_of(message).sends[message.event.message_id]

    async def lose_answer(self, nth: int, *, arrived: bool) -> None:
        """Let the answer of an attempt be lost, whether the platform accepted it or not."""
        message = self._pick(nth, "dispatched")
        if message is None:
            return
        if arrived:
            self._arrive(message, nth % 45)
        await self._result(message, "unknown")
        message.state = "unknown"
        self._sent(message, message.claimed_us + SEND_BUDGET_US, still_open=True)

    async def report(self, nth: int, *, refused: bool = False) -> None:
        """Let a status come for a message that was accepted, or for one nobody knows about."""
        message = self._pick(nth, "dispatched", "unknown", "accepted")
        if message is None:
            return
        known, message_id = message.state, message.event.message_id
        if refused or (message.true_us is None and known == "unknown"):
            if message.arrived or (message.true_us is None and known == "dispatched"):
                return
            await self._status(message, "failed", code=131026)
            message.state, message.true_us = "refunded", None
            self.facts_of(message).sends.pop(message_id, None)
            return
        self._arrive(message, nth % 45)
        message.arrived = message.arrived or nth % 2 == 1
        await self._status(message, "delivered" if nth % 2 else "sent")
        message.state = "accepted"
        if known != "accepted":
            bound_us = min(whole_second(message.true_us) + SECOND_US, message.valid_until_us + SEND_BUDGET_US)
            self._sent(message, bound_us)

    async def _result(self, message: Message, outcome: Outcome, *, reason: str | None = None) -> None:
        grant = self.grants[message.event.message_id]
        accepted_as = platform_message_ref(f"wamid.of.{grant.message_id.hex}")
        event = SendResult(
            message_id=grant.message_id,
            grant_id=grant.grant_id,
            contact_id=grant.contact_id,
            lane=grant.lane,
            number=grant.number,
            attempt_id=attempt_id_of(grant.message_id, 1),
            outcome=outcome,
            reason=reason,
            platform_message_ref=accepted_as if outcome == "accepted" else None,
            started_at=to_datetime(message.claimed_us) if message.claimed_us else None,
            recorded_at=to_datetime(self.now_us),
        )
        await self._hear(event)

    async def _status(self, message: Message, word: str, *, code: int | None = None) -> None:
        at = to_datetime(whole_second(message.true_us))
        event: MessageStatus = status(
            message.event.message_id, word, code=code, at=at, phone=PHONES[message.wish.person]
        )
        await self._hear(event)

    def _arrive(self, message: Message, delay_s: int) -> None:
        if message.true_us is None:
            message.true_us = min(self.real_us, message.claimed_real_us + delay_s * SECOND_US)

    def _sent(self, message: Message, at_us: int, *, still_open: bool = False) -> None:
        sends, wish = self.facts_of(message).sends, message.wish
        sends[message.event.message_id] = Sent(
            at_us, message.message_class, wish.brand, wish.campaign, still_open
        )
