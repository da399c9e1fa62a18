"""One batch, decided in memory: repeats recognised, each recipient's requests in arbitration order."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from garbo.common.events.decisions import DecisionMade
from garbo.common.events.ids import ContactId, MessageId
from garbo.common.events.topics import DECISION_MADE, SEND_CARE, SEND_PROMO
from garbo.common.events.wire import encode
from garbo.router.domain.decide import decide_and_count
from garbo.router.domain.grant import Grant
from garbo.router.domain.policy import Policy
from garbo.router.domain.request import Request
from garbo.router.domain.state import RecipientState
from garbo.router.flow.ask import Ask, request_of
from garbo.router.flow.directory import Directory
from garbo.router.flow.records import decided_record, granted_record, new_grant, refused_record
from garbo.router.ports import Announcement, Changes, Contact, Meter, Moment, StoredDecision


@dataclass(slots=True)
class Desk:
    """Collects what a batch decides, writes and tells. Used once."""

    policy: Policy
    directory: Directory
    meter: Meter
    moment: Moment
    states: dict[ContactId, RecipientState]
    announcements: list[Announcement] = field(default_factory=list)
    fresh: dict[MessageId, StoredDecision] = field(default_factory=dict)
    grants: dict[MessageId, Grant] = field(default_factory=dict)
    touched: set[ContactId] = field(default_factory=set)

    def take(self, asks: Iterable[Ask]) -> None:
        """Decide all of them. The first of two with the same id is the one that is decided."""
        first: dict[MessageId, Ask] = {}
        repeats: list[Ask] = []
        for ask in asks:
            if ask.message_id in self.moment.decisions or ask.message_id in first:
                repeats.append(ask)
            else:
                first[ask.message_id] = ask
        self._decide_all(first.values())
        for ask in repeats:
            self._repeat(ask)

    def changes(self) -> Changes:
        """Give what must be written before anything is told."""
        return Changes(
            states={contact_id: self.states[contact_id] for contact_id in self.touched},
            decisions=tuple(self.fresh.values()),
            grants=tuple(self.grants.values()),
        )

    def _decide_all(self, asks: Iterable[Ask]) -> None:
        queue: list[tuple[Request, Ask, Contact]] = []
        for ask in asks:
            if ask.refusal or ask.contact is None:
                self._refuse(ask, ask.refusal or "unknown_contact")
                continue
            request = request_of(
                ask,
                ask.contact,
                directory=self.directory,
                templates=self.moment.templates,
                now_us=self.moment.now_us,
            )
            queue.append((request, ask, ask.contact))
        for request, ask, contact in sorted(queue, key=lambda item: item[0].arbitration_key):
            self._decide(request, ask, contact)

    def _decide(self, request: Request, ask: Ask, contact: Contact) -> None:
        state = self.states[contact.contact_id]
        decision, after = decide_and_count(self.policy, state, request, self.moment.now_us)
        record = decided_record(
            ask,
            contact,
            decision,
            policy_version=self.policy.version,
            state_version=state.version,
            now_us=self.moment.now_us,
        )
        self._store(ask, record, contact_id=contact.contact_id)
        grant = new_grant(ask, contact, decision)
        if grant:
            self.states[contact.contact_id] = after
            self.touched.add(contact.contact_id)
            self.grants[ask.message_id] = grant
            self._tell_grant(ask, contact, grant)
        self.meter.decided(
            message_class=record.message_class or "none", verdict=record.verdict, reason=record.reason
        )

    def _refuse(self, ask: Ask, reason: str) -> None:
        record = refused_record(ask, reason, policy_version=self.policy.version, now_us=self.moment.now_us)
        self._store(ask, record, contact_id=None)
        self.meter.decided(message_class="none", verdict="deny", reason=reason)

    def _store(self, ask: Ask, record: DecisionMade, *, contact_id: ContactId | None) -> None:
        value = encode(record)
        self.fresh[ask.message_id] = StoredDecision(
            message_id=ask.message_id,
            client=ask.event.client,
            request_id=ask.event.request_id,
            body_hash=ask.body_hash,
            contact_id=contact_id,
            records=(value,),
        )
        self._tell(record, contact_id, trace=ask.trace, value=value)

    def _repeat(self, ask: Ask) -> None:
        """Tell the stored decision again, byte for byte, and its grant while nobody has claimed it."""
        stored = self.moment.decisions.get(ask.message_id) or self.fresh[ask.message_id]
        self.meter.repeated()
        if stored.body_hash != ask.body_hash:
            record = refused_record(
                ask, "id_reused", policy_version=self.policy.version, now_us=self.moment.now_us
            )
            self._tell(record, stored.contact_id, trace=ask.trace)
            return
        for value in stored.records:
            self._tell(
                DecisionMade.model_validate_json(value), stored.contact_id, trace=ask.trace, value=value
            )
        grant = self.moment.grants.get(ask.message_id)
        if grant and grant.state == "reserved" and ask.contact:
            self._tell_grant(ask, ask.contact, grant)

    def _tell_grant(self, ask: Ask, contact: Contact, grant: Grant) -> None:
        topic = SEND_PROMO if grant.lane == "promo" else SEND_CARE
        record = granted_record(ask, contact, grant)
        self.announcements.append(Announcement(topic, record, grant.contact_id, ask.trace))

    def _tell(
        self,
        record: DecisionMade,
        contact_id: ContactId | None,
        *,
        trace: str | None,
        value: bytes | None = None,
    ) -> None:
        self.announcements.append(Announcement(DECISION_MADE, record, contact_id, trace, value))
