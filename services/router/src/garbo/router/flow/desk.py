"""One batch, decided in memory: repeats recognised, each recipient's requests in arbitration order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from garbo.common.events.decisions import DecisionMade
from garbo.common.events.ids import ContactId, MessageId
from garbo.common.events.topics import DECISION_MADE, SEND_CARE, SEND_PROMO
from garbo.common.priority import yielding
from garbo.router.domain.decide import counted, decide_prepared
from garbo.router.domain.grant import Grant
from garbo.router.domain.policy import Policy
from garbo.router.domain.prepared_request import PreparedRequest, prepare
from garbo.router.domain.request import UNLIMITED, Request
from garbo.router.domain.state import RecipientState, Send
from garbo.router.domain.values import replace
from garbo.router.flow.budgets import BudgetAllowance
from garbo.router.flow.decision_inputs import inputs_bytes
from garbo.router.flow.directory import Directory
from garbo.router.flow.outcome import Outcome, superseded
from garbo.router.flow.record_bytes import render_decided, render_granted
from garbo.router.flow.records import new_grant, refused_record, rendered, withdrawn_record
from garbo.router.flow.request import ResolvedRequest, request_of
from garbo.router.ports.contacts import Contact
from garbo.router.ports.publisher import OutgoingRecord, Rendered
from garbo.router.ports.store import Changes, Deferred, Snapshot, StoredDecision
from garbo.router.ports.telemetry import Meter


@dataclass(slots=True)
class Desk:
    """Collects what a batch decides, writes and tells. Used once."""

    policy: Policy
    directory: Directory
    meter: Meter
    snapshot: Snapshot
    states: dict[ContactId, RecipientState]
    """Locked."""
    waiting: Sequence[Deferred] = ()
    """Of these recipients, where only the newest request of a campaign may wait."""
    campaign_sends: Mapping[tuple[ContactId, str], Sequence[Send]] | None = None
    """Of these recipients and campaigns, where a cap is for life."""
    allowance: BudgetAllowance | None = None
    """What of the budgets may be spent; without it they are not asked."""
    records_to_publish: list[OutgoingRecord] = field(default_factory=list)
    outbox: list[OutgoingRecord] = field(default_factory=list)
    """Records of messages nobody here has asked about: no repeat would tell them, so the outbox does."""
    fresh: dict[MessageId, StoredDecision] = field(default_factory=dict)
    further: dict[MessageId, bytes] = field(default_factory=dict)
    grants: dict[MessageId, Grant] = field(default_factory=dict)
    deferred: dict[MessageId, Deferred] = field(default_factory=dict)
    woken: set[MessageId] = field(default_factory=set)
    touched: set[ContactId] = field(default_factory=set)
    _counted: dict[tuple[ContactId, str], list[Send]] = field(default_factory=dict)
    _prepared: dict[MessageId, PreparedRequest] = field(default_factory=dict)
    _outcomes: list[Outcome] = field(default_factory=list)

    async def take(self, asks: Iterable[ResolvedRequest]) -> None:
        """Decide all of them. The first of two with the same id is the one that is decided."""
        first: dict[MessageId, ResolvedRequest] = {}
        repeats: list[ResolvedRequest] = []
        for ask in asks:
            if ask.message_id in self.snapshot.decisions or ask.message_id in first:
                repeats.append(ask)
            else:
                first[ask.message_id] = ask
        await self._decide_all(first.values())
        for ask in repeats:
            self._repeat(ask)

    def spending(self, asks: Iterable[ResolvedRequest]) -> list[PreparedRequest]:
        """Give what may come to draw on a budget: each new request."""
        return [
            self._prepare(ask, ask.contact)
            for ask in asks
            if ask.contact and not ask.refusal and ask.message_id not in self.snapshot.decisions
        ]

    def changes(self) -> Changes:
        """Give what must be written before anything is told."""
        return Changes(
            states={contact_id: self.states[contact_id] for contact_id in self.touched},
            decisions=tuple(self.fresh.values()),
            further=self.further,
            grants=tuple(self.grants.values()),
            deferred=tuple(self.deferred.values()),
            woken=tuple(self.woken),
            spent=self.allowance.spent if self.allowance else {},
            counted=self._counted,
            outbox=tuple(self.outbox),
        )

    async def _decide_all(self, asks: Iterable[ResolvedRequest]) -> None:
        queue: list[tuple[PreparedRequest, ResolvedRequest, Contact]] = []
        async for ask in yielding(asks):
            if ask.refusal or ask.contact is None:
                self._refuse(ask, ask.refusal or "unknown_contact")
            else:
                queue.append((self._prepare(ask, ask.contact), ask, ask.contact))
        queue.sort(key=lambda item: item[0].request.arbitration_key)
        async for prepared, ask, contact in yielding(queue):
            self._outcomes.append(self._decide(prepared, ask, contact))
        if self.policy.same_campaign == "keep_newest":
            self._keep_newest()
        async for outcome in yielding(self._outcomes):
            self._conclude(outcome)

    def _prepare(self, ask: ResolvedRequest, contact: Contact) -> PreparedRequest:
        known = self._prepared.get(ask.message_id)
        if known is not None:
            return known
        snapshot = self.snapshot
        request = request_of(
            ask, contact, directory=self.directory, templates=snapshot.templates, now_us=snapshot.now_us
        )
        if ask.campaign in snapshot.cancelled:
            request = replace(request, cancelled=True)
        prepared = prepare(self.policy, self.states[contact.contact_id], request, snapshot.now_us)
        self._prepared[ask.message_id] = prepared
        return prepared

    def _decide(self, prepared: PreparedRequest, ask: ResolvedRequest, contact: Contact) -> Outcome:
        request = prepared.request
        before = self._with_campaign(self.states[contact.contact_id], contact, request)
        if self.policy.budgets:
            prepared = prepared.given(self.allowance.left(request) if self.allowance else UNLIMITED)
        decision = decide_prepared(prepared, before)
        outcome = Outcome(ask, contact, request, decision, before)
        if decision.verdict == "allow":
            self._count(outcome, counted(prepared, before, decision))
            if self.allowance:
                leases = self.allowance.spend(decision, request, slots=prepared.slots)
                return replace(outcome, leases=leases)
        return outcome

    def _with_campaign(self, state: RecipientState, contact: Contact, request: Request) -> RecipientState:
        if self.campaign_sends is None or request.campaign is None:
            return state
        key = (contact.contact_id, request.campaign)
        return replace(
            state, campaign_sends=tuple(self._counted.get(key) or self.campaign_sends.get(key, ()))
        )

    def _count(self, outcome: Outcome, after: RecipientState) -> None:
        contact_id, request = outcome.contact.contact_id, outcome.request
        self.states[contact_id] = after
        self.touched.add(contact_id)
        if self.campaign_sends is not None and request.campaign is not None:
            known = {send.message_id for send in outcome.state.sends}
            counted = [*outcome.state.campaign_sends, *(s for s in after.sends if s.message_id not in known)]
            self._counted[contact_id, request.campaign] = counted

    def _keep_newest(self) -> None:
        """Of several requests of one campaign to one person that would wait, let the newest wait."""
        asked = {outcome.ask.message_id for outcome in self._outcomes}
        others = [waiting for waiting in self.waiting if waiting.message_id not in asked]
        self._outcomes, gone = superseded(self._outcomes, others)
        for waiting in gone:
            self._dismiss(waiting)

    def _dismiss(self, waiting: Deferred) -> None:
        """Deny a request that waits; it was asked for long ago, so its record goes through the outbox."""
        stored = self.snapshot.decisions.get(waiting.message_id)
        if stored is None:
            return
        last = DecisionMade.model_validate_json(stored.records[-1])
        record = withdrawn_record(last, reason="superseded", now_us=self.snapshot.now_us)
        told = OutgoingRecord(DECISION_MADE, rendered(record), waiting.contact_id, waiting.trace)
        self.further[waiting.message_id] = told.content
        self.woken.add(waiting.message_id)
        self.outbox.append(told)
        self._meter(record)

    def _conclude(self, outcome: Outcome) -> None:
        """Write down and tell what was decided."""
        ask, contact, decision = outcome.ask, outcome.contact, outcome.decision
        record = render_decided(
            ask,
            contact,
            decision,
            policy_version=self.policy.version,
            state_version=outcome.state.version,
            now_us=self.snapshot.now_us,
        )
        self._store(
            ask, record, contact_id=contact.contact_id, facts=inputs_bytes(outcome.request, outcome.state)
        )
        grant = new_grant(
            ask,
            contact,
            decision,
            policy_version=self.policy.version,
            budget_leases=outcome.leases,
        )
        if grant:
            self.grants[ask.message_id] = grant
            self._tell_grant(ask, contact, grant)
        if decision.verdict == "defer":
            self.deferred[ask.message_id] = outcome.waits(self.snapshot.now_us)
        self.meter.decided(
            message_class=decision.message_class, verdict=decision.verdict, reason=decision.reason
        )
        if ask.event.purpose == "care":
            unprompted = not outcome.has_written(self.snapshot.now_us)
            self.meter.asked_as_care(client=ask.event.client, demoted=decision.demoted, unprompted=unprompted)

    def _refuse(self, ask: ResolvedRequest, reason: str) -> None:
        record = refused_record(ask, reason, policy_version=self.policy.version, now_us=self.snapshot.now_us)
        self._store(ask, rendered(record), contact_id=None, facts=None)
        self._meter(record)

    def _store(
        self, ask: ResolvedRequest, record: Rendered, *, contact_id: ContactId | None, facts: bytes | None
    ) -> None:
        self.fresh[ask.message_id] = StoredDecision(
            message_id=ask.message_id,
            client=ask.event.client,
            request_id=ask.event.request_id,
            body_hash=ask.body_hash,
            contact_id=contact_id,
            records=(record.value,),
            facts=facts,
        )
        self.records_to_publish.append(OutgoingRecord(DECISION_MADE, record, contact_id, ask.trace))

    def _repeat(self, ask: ResolvedRequest) -> None:
        """Tell the stored decision again, byte for byte, and its grant while nobody has claimed it."""
        stored = self.snapshot.decisions.get(ask.message_id) or self.fresh[ask.message_id]
        self.meter.repeated()
        if stored.body_hash != ask.body_hash:
            record = refused_record(
                ask, "id_reused", policy_version=self.policy.version, now_us=self.snapshot.now_us
            )
            self.records_to_publish.append(
                OutgoingRecord(DECISION_MADE, record, stored.contact_id, ask.trace)
            )
            return
        for value in stored.records:
            known = DecisionMade.model_validate_json(value)
            told = Rendered(known.event_id, known.happened_at, value)
            self.records_to_publish.append(OutgoingRecord(DECISION_MADE, told, stored.contact_id, ask.trace))
        grant = self.snapshot.grants.get(ask.message_id)
        if grant and grant.state == "reserved" and ask.contact:
            self._tell_grant(ask, ask.contact, grant)

    def _tell_grant(self, ask: ResolvedRequest, contact: Contact, grant: Grant) -> None:
        topic = SEND_PROMO if grant.lane == "promo" else SEND_CARE
        record = render_granted(ask, contact, grant)
        self.records_to_publish.append(OutgoingRecord(topic, record, grant.contact_id, ask.trace))

    def _meter(self, record: DecisionMade) -> None:
        self.meter.decided(message_class=record.message_class, verdict=record.verdict, reason=record.reason)
