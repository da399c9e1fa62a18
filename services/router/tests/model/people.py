"""What people and clients do in a small world."""

from uuid import UUID

from garbo.common.events.addresses import Recipient
from garbo.common.events.contacts import CaseChanged, ContactUpdated
from garbo.router.domain.instants import to_datetime
from garbo.router.domain.state import Send
from garbo.router.domain.values import replace
from services.router.tests.model.cast import (
    NUMBERS,
    PHONES,
    ZONES,
    given_order,
)
from services.router.tests.model.facts import MINUTE_US
from services.router.tests.model.ground import Ground
from services.router.tests.model.oracle import stopped
from services.router.tests.support.build import consent, inbound


class PeopleSide(Ground):
    """Words, consents, cases, moves; and each of them told again."""

    async def write(self, person: int, brand: str, words: str = "hello", *, late_min: int = 0) -> None:
        """Let a person write to a brand."""
        number, at_us, facts = NUMBERS[brand], self.now_us - late_min * MINUTE_US, self.people[person]
        facts.wrote.append((number, at_us))
        if words in ("STOP", "START"):
            facts.stops.append((brand, at_us, words == "STOP"))
        event = inbound(
            words,
            sender={"phone": PHONES[person]},
            number=number,
            wamid=f"wamid.{self._next()}",
            occurred_at=to_datetime(at_us),
            received_at=to_datetime(self.now_us),
        )
        if words == "STOP" and stopped(facts, brand):
            self._call_back(person, brand, waiting="stopped")
        await self._hear(event)

    async def consent(self, person: int, brand: str, action: str) -> None:
        """Let a client record a consent."""
        acts = self.people[person].consents
        acts.append((brand, action, self.now_us))
        gone_us = max((at for about, act, at in acts if (about, act) == (brand, "withdrawn")), default=-1)
        if action == "withdrawn" and all(at <= gone_us for about, _, at in acts if about == brand):
            self._call_back(person, brand, waiting="not_opted_in")
        at = to_datetime(self.now_us)
        names = {"to": {"phone": PHONES[person]}, "consent_id": UUID(int=self._next())}
        await self._hear(consent(action, brand=brand, occurred_at=at, recorded_at=at, **names))

    async def case(self, person: int, brand: str, name: str) -> None:
        """Let a help desk open a case, or close the one that is open."""
        cases, key = (
            self.people[person].cases,
            (brand, f"{name}{self.case_turn.get((person, brand, name), 0)}"),
        )
        opening = key not in cases
        if opening:
            cases[key] = (self.now_us, None)
        elif self.now_us < cases[key][0]:
            return  # the clock was set back: nobody closes what is yet to be opened
        else:
            cases[key] = (cases[key][0], self.now_us)
            self.case_turn[person, brand, name] = self.case_turn.get((person, brand, name), 0) + 1
        if opening:
            self._foresee(sorted(self._undispatched(person, brand), key=given_order))
        at = to_datetime(self.now_us)
        event = CaseChanged(
            case_id=f"{brand}.{key[1]}",
            client="crm",
            brand=brand,
            to=Recipient(phone=PHONES[person]),
            action="opened" if opening else "closed",
            occurred_at=at,
            recorded_at=at,
        )
        await self._hear(event)

    async def move(self, person: int, zone: int) -> None:
        """Let a person move to another time zone."""
        told, known = ZONES[zone % len(ZONES)], self.zones_told.get(person, ("", 0))
        self.moved.add(person)
        if (self.now_us, told) > (known[1], known[0]):
            self.zones_told[person] = (told, self.now_us)
            self.people[person].zones = (told,)
            if told != known[0]:
                granted = [m for brand in NUMBERS for m in self._undispatched(person, brand)]
                self._foresee(sorted(granted, key=given_order))
        event = ContactUpdated(
            update_id=UUID(int=self._next()),
            client="crm",
            to=Recipient(phone=PHONES[person]),
            timezone=told,
            occurred_at=to_datetime(self.now_us),
        )
        await self._hear(event)

    async def hear_again(self, nth: int) -> None:
        """Deliver an event again: it changes nothing."""
        if not self.heard:
            return
        before = self.store.tables.copied()
        await self.router.hear(self.heard[nth % len(self.heard)])
        after = self.store.tables.copied()
        for contact_id, state in before.states.items():
            new = after.states[contact_id]
            opened = {key for key, case in new.cases.items() if case.closed_at_us is None}
            assert opened <= {k for k, c in state.cases.items() if c.closed_at_us is None}, "a case came back"
            assert sorted(new.sends, key=_id) == sorted(state.sends, key=_id), "something counts otherwise"
            before.states[contact_id] = replace(state, cases=new.cases, sends=new.sends, version=new.version)
        assert after == before, "an event that came again changed something"


def _id(send: Send) -> UUID:
    return send.message_id
