"""One transaction's work: what was loaded, what is decided and what changes, and what is to be told."""

from collections import Counter
from dataclasses import dataclass, field

from garbo.common.events.decisions import DecisionMade
from garbo.common.events.ids import ContactId, MessageId
from garbo.common.events.topics import DECISION_MADE
from garbo.router.domain.grant import OPEN, Grant, Settled, revoke
from garbo.router.domain.policy import Policy
from garbo.router.domain.send_history import pruned
from garbo.router.domain.state import RecipientState, Send, with_send, without_send
from garbo.router.domain.templates import Observed, TemplateCategory
from garbo.router.domain.values import replace
from garbo.router.flow.budgets import BudgetAllowance
from garbo.router.flow.directory import Directory
from garbo.router.flow.records import rendered, withdrawn_record
from garbo.router.ports.contacts import ClaimedMerge, ConsentEvidence, ConsentKey, Suppression
from garbo.router.ports.publisher import OutgoingRecord, Rendered
from garbo.router.ports.store import Changes, Deferred, Snapshot, StoredDecision
from garbo.router.ports.telemetry import Meter


@dataclass(slots=True)
class UnitOfWork:
    """Collects in memory what one transaction changes. Used once; `flow.decision` decides over it.

    Records are told in two ways. What a Kafka record asks for is published after the commit, and again when
    that record comes again (`records_to_publish`). What nothing in Kafka asks for again goes into the outbox,
    written with the change.
    """

    policy: Policy
    directory: Directory
    meter: Meter
    snapshot: Snapshot
    allowance: BudgetAllowance | None = None
    """What of the budgets may be spent; without it they are no obstacle."""
    states: dict[ContactId, RecipientState] = field(init=False)
    """Locked, as they are by now."""
    grants: dict[MessageId, Grant] = field(init=False)
    """Locked, as they are by now."""
    deferred: dict[MessageId, Deferred] = field(init=False)
    """Those that were loaded, as they are by now."""
    records_to_publish: list[OutgoingRecord] = field(default_factory=list)
    outbox: list[OutgoingRecord] = field(default_factory=list)
    new_decisions: dict[MessageId, StoredDecision] = field(default_factory=dict)
    new_grants: dict[MessageId, Grant] = field(default_factory=dict)
    updated_grants: dict[MessageId, Grant] = field(default_factory=dict)
    new_deferrals: dict[MessageId, Deferred] = field(default_factory=dict)
    """Also in new terms."""
    no_longer_deferred: set[MessageId] = field(default_factory=set)
    contacts_to_recheck: set[ContactId] = field(default_factory=set)
    campaign_sends: dict[tuple[ContactId, str], list[Send]] = field(default_factory=dict)
    """What a lifetime cap counts of a recipient and campaign, where a send came to it."""
    campaign_send_updates: dict[tuple[ContactId, MessageId], tuple[str, Send | None]] = field(
        default_factory=dict
    )
    templates: list[TemplateCategory] = field(default_factory=list)
    observed: list[Observed] = field(default_factory=list)
    evidence: dict[ConsentKey, ConsentEvidence] = field(default_factory=dict)
    suppressions: list[Suppression] = field(default_factory=list)
    cancelled: set[tuple[str, str]] = field(default_factory=set)
    """Brand and campaign of what is called off."""
    erased: set[ContactId] = field(default_factory=set)
    claimed_merges: list[ClaimedMerge] = field(default_factory=list)
    homes: dict[ContactId, ContactId] = field(default_factory=dict)
    shown_addresses: dict[str, ContactId] = field(default_factory=dict)
    split: set[ContactId] = field(default_factory=set)
    told: dict[str, str] = field(default_factory=dict)
    """Inbound message -> the Kafka record it is told for."""
    _touched: set[ContactId] = field(init=False)
    _budget_changes: Counter[int] = field(default_factory=Counter)
    _decision_updates: dict[MessageId, OutgoingRecord] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.states = dict(self.snapshot.states)
        self.grants = dict(self.snapshot.locked_grants)
        self.deferred = dict(self.snapshot.deferred)
        self._touched = set(self.snapshot.newly_suppressed)

    def changes(self) -> Changes:
        """Give what must be written before anything is told."""
        spent = Counter(self._budget_changes)
        spent.update(self.allowance.spent if self.allowance else {})
        return Changes(
            states={contact_id: self.states[contact_id] for contact_id in self._touched},
            decisions=tuple(self.new_decisions.values()),
            decision_updates={m: update.content for m, update in self._decision_updates.items()},
            grants=tuple(self.new_grants.values()),
            updated_grants=tuple(self.updated_grants.values()),
            contacts_to_recheck=tuple(self.contacts_to_recheck),
            budgets_spent=dict(spent),
            templates=tuple(self.templates),
            observed=tuple(self.observed),
            deferred=tuple(self.new_deferrals.values()),
            no_longer_deferred=tuple(self.no_longer_deferred),
            evidence=tuple(self.evidence.values()),
            suppressions=tuple(self.suppressions),
            cancelled=tuple((*campaign, self.snapshot.now_us) for campaign in sorted(self.cancelled)),
            campaign_sends=self.campaign_sends,
            campaign_send_updates=self.campaign_send_updates,
            erased=tuple(self.erased),
            claimed_merges=tuple(self.claimed_merges),
            homes=self.homes,
            shown_addresses=self.shown_addresses,
            split=tuple(self.split),
            told=self.told,
            outbox=(*self._decision_updates.values(), *self.outbox),
        )

    @property
    def has_changes(self) -> bool:
        """Whether there is anything to write. A send that counts for life as it did is nothing by itself."""
        return replace(self.changes(), campaign_send_updates={}) != Changes()

    def put(self, contact_id: ContactId, state: RecipientState) -> None:
        """Replace a recipient's state; the same state is no change."""
        if state != self.states[contact_id]:
            self.states[contact_id] = state
            self._touched.add(contact_id)

    def tell_once(self, message_ref: str, *, record: str) -> bool:
        """Say whether an inbound message is told of for this Kafka record, which may come again.

        The platform may deliver a message more than once: for the other records it is told already.
        """
        first = self.snapshot.told.get(message_ref) or self.told.setdefault(message_ref, record)
        return first == record

    def settle(self, settled: Settled, *, trace: str | None) -> None:
        """Take what became of a grant: into the grant, into the count, and into the decision."""
        grant = settled.grant
        if settled.change == "uncount":
            self._budget_changes.subtract(grant.budget_leases)
            grant = replace(grant, budget_leases=())
            self.contacts_to_recheck.add(grant.contact_id)
        if grant.state not in OPEN:
            grant = replace(grant, request=None)
        self.update_grant(grant)
        if grant.contact_id in self.states:
            self._count(settled)
        if settled.resurrected:
            self.meter.resurrected()
        if settled.closed_reason:
            self.close(grant.message_id, reason=settled.closed_reason, trace=trace)

    def update_grant(self, grant: Grant) -> None:
        """Replace a grant that is there; the same grant is no change."""
        if grant != self.grants[grant.message_id]:
            self.grants[grant.message_id] = self.updated_grants[grant.message_id] = grant

    def grant(self, grant: Grant) -> None:
        """Grant a message, perhaps anew under a higher epoch; the grant it had is over."""
        before = self.updated_grants.get(grant.message_id)
        if before and before.grant_id == grant.grant_id:
            del self.updated_grants[grant.message_id]
        self.grants[grant.message_id] = self.new_grants[grant.message_id] = grant

    def renew(self, grant: Grant, after: RecipientState) -> None:
        """Grant a message anew that goes on with what its last grant took of the budgets."""
        self.grant(grant)
        self._budget_changes.update(grant.budget_leases)
        self.put(grant.contact_id, after)
        if grant.campaign is not None and self.policy.counts_for_life:
            counted = (grant.campaign, after.send_of(grant.message_id))
            self.campaign_send_updates[grant.contact_id, grant.message_id] = counted

    def defer(self, deferred: Deferred) -> None:
        """Let a request wait, or wait in other terms."""
        self.deferred[deferred.message_id] = self.new_deferrals[deferred.message_id] = deferred
        self.no_longer_deferred.discard(deferred.message_id)

    def is_ready(self, deferred: Deferred) -> bool:
        """Say whether a request that waits may be free by now, under this policy."""
        return deferred.is_ready(self.snapshot.now_us, policy_version=self.policy.version)

    def dismiss(self, message_id: MessageId, *, reason: str) -> None:
        """Deny a deferred request."""
        gone = self.deferred.pop(message_id)
        self.new_deferrals.pop(message_id, None)
        self.no_longer_deferred.add(message_id)
        self.close(message_id, reason=reason, trace=gone.trace)

    def close(self, message_id: MessageId, *, reason: str, trace: str | None) -> None:
        """Turn the decision into a deny."""
        last = self._last_record(message_id)
        if last is not None:
            record = withdrawn_record(last, reason=reason, now_us=self.snapshot.now_us)
            self.update_decision(message_id, rendered(record), trace=trace)
            self.meter.decided(message_class=record.message_class, verdict=record.verdict, reason=reason)

    def update_decision(self, message_id: MessageId, record: Rendered, *, trace: str | None) -> None:
        """Add a further record to a message's decision. Of several in one batch the last one is the one."""
        contact_id = self.snapshot.decisions[message_id].contact_id
        self._decision_updates[message_id] = OutgoingRecord(DECISION_MADE, record, contact_id, trace)

    def revoke_promos(
        self,
        contact_id: ContactId,
        *,
        brand: str | None,
        number: str | None = None,
        deferred_reason: str | None = "stopped",
        trace: str | None,
    ) -> None:
        """Revoke every promo of a brand (or of all, or of one number) that nobody has claimed.

        Deferred promos are denied at once with `deferred_reason`; without one they stay.
        """
        for grant in self.unclaimed_promos(contact_id, brand=brand):
            if number in (None, grant.number):
                self.settle(revoke(grant), trace=trace)
        if deferred_reason is not None:
            for deferred in self._deferred_promos(contact_id, brand=brand):
                self.dismiss(deferred.message_id, reason=deferred_reason)

    def unclaimed_promos(self, contact_id: ContactId, *, brand: str | None = None) -> list[Grant]:
        """Give a recipient's promo grants nobody has claimed, of a brand or of all, the earliest first."""
        open_ids = {send.message_id for send in self.states[contact_id].sends if send.open}
        grants = (self.grants[message_id] for message_id in open_ids if message_id in self.grants)
        promos = [g for g in grants if g.state == "reserved" and g.message_class == "promo"]
        wanted = [g for g in promos if brand in (None, g.brand)]
        return sorted(wanted, key=lambda grant: (grant.not_before_us, grant.message_id.int))

    def _deferred_promos(self, contact_id: ContactId, *, brand: str | None) -> list[Deferred]:
        whose = [d for d in self.deferred.values() if d.contact_id == contact_id]
        return [d for d in whose if brand in (None, d.brand) and self._is_promo(d)]

    def _is_promo(self, deferred: Deferred) -> bool:
        last = self._last_record(deferred.message_id)
        return last is None or last.message_class == "promo"

    def _last_record(self, message_id: MessageId) -> DecisionMade | None:
        """Give a message's last stored record; None when nobody knows it."""
        stored = self.snapshot.decisions.get(message_id)
        return DecisionMade.model_validate_json(stored.records[-1]) if stored else None

    def _count(self, settled: Settled) -> None:
        grant, send = settled.grant, self._send_of(settled)
        if send is None and settled.change != "uncount":
            return
        state = self.states[grant.contact_id]
        if send is None:
            counted = without_send(state, grant.message_id)
        else:
            if _is_nearer(send, state.send_of(grant.message_id)):  # what waits for it need not wait so long
                self.contacts_to_recheck.add(grant.contact_id)
            counted = pruned(self.policy, with_send(state, send), self.snapshot.now_us)
        self.put(grant.contact_id, counted)
        given_back = send is None  # whatever the policy says now: another one may have counted it for life
        if grant.campaign is not None and (given_back or self.policy.counts_for_life):
            self.campaign_send_updates[grant.contact_id, grant.message_id] = (grant.campaign, send)

    def _send_of(self, settled: Settled) -> Send | None:
        """Give the send as it counts now; None where it does not, or is forgotten."""
        match settled.change:
            case "count":
                return settled.send()
            case "arrived":
                known = self.states[settled.grant.contact_id].send_of(settled.grant.message_id)
                return None if known is None else replace(known, delivered=True)
            case _:
                return None


def _is_nearer(send: Send, known: Send | None) -> bool:
    """Say whether a send that counted at an upper bound counts at an earlier instant now."""
    return known is not None and known.open and send.at_us < known.at_us
