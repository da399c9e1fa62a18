"""Use case: say what requests would be answered now. Nothing is locked, written, counted or sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

from garbo.common.events.addresses import Recipient
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.ids import ContactId
from garbo.common.events.requests import SendRequested
from garbo.common.priority import yielding
from garbo.router.domain.decide import decide
from garbo.router.domain.policy import Policy
from garbo.router.domain.request import Request
from garbo.router.domain.state import RecipientState, Send
from garbo.router.domain.values import replace
from garbo.router.flow.commands.import_suppressions import with_suppressions
from garbo.router.flow.dependencies import Dependencies
from garbo.router.flow.record_bytes import render_decided
from garbo.router.flow.records import refused_record
from garbo.router.flow.request import ReceivedRequest, ResolvedRequest, address_of, request_of
from garbo.router.flow.resolution import addressed, campaign_sends_of, campaigns_of, resolve_requests
from garbo.router.ports.budgets import BudgetRequest
from garbo.router.ports.contacts import Contact
from garbo.router.ports.queries import PreviewReader
from garbo.router.ports.store import Snapshot


@dataclass(frozen=True, slots=True)
class PeoplePreview:
    """What one request would be answered for each person at one instant, in the order asked."""

    now_us: int
    policy_version: str
    decisions: Sequence[DecisionMade]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one read transaction saw of all who are asked about."""

    policy: Policy
    asks: Sequence[ResolvedRequest]
    states: Mapping[ContactId, RecipientState]
    snapshot: Snapshot
    campaign_sends: Mapping[tuple[ContactId, str], Sequence[Send]] | None
    budget_left: Mapping[BudgetRequest, int]
    lists: Mapping[str, Mapping[str, int]]
    """What suppression lists say of addresses nobody has written to yet, by hash."""

    def state_of(self, contact: Contact, campaign: str | None) -> RecipientState:
        """Give the state a decision would start from."""
        fresh = RecipientState(suppressed=self.lists.get(contact.address.hash, {}))
        state = self.states.get(contact.contact_id, fresh)
        if self.campaign_sends is None or campaign is None:
            return state
        return replace(
            state, campaign_sends=tuple(self.campaign_sends.get((contact.contact_id, campaign), ()))
        )


class PreviewRequests:
    """Decides with `decide`, from what is stored now; each request alone, as if no other were asked."""

    def __init__(self, dependencies: Dependencies, reader: PreviewReader) -> None:
        self._means, self._reader = dependencies, reader

    async def preview(self, asked: Sequence[ReceivedRequest]) -> list[DecisionMade]:
        """Give the record of each, without a grant."""
        seen = await self._see(asked)
        return [self._record(seen, ask) async for ask in yielding(seen.asks)]

    async def preview_people(self, event: SendRequested, people: Sequence[Recipient]) -> PeoplePreview:
        """Give the answer to one request for each of many people."""
        asked = [ReceivedRequest(event.model_copy(update={"to": to, "request_id": uuid4()})) for to in people]
        seen = await self._see(asked)
        decisions = [self._record(seen, ask) async for ask in yielding(seen.asks)]
        return PeoplePreview(seen.snapshot.now_us, seen.policy.version, decisions)

    async def _see(self, asked: Sequence[ReceivedRequest]) -> _Seen:
        dependencies, policy = self._means, self._means.policies.current
        doors = [
            addressed(one, directory=dependencies.directory, hash_key=dependencies.hash_key) for one in asked
        ]
        async with dependencies.store.batch() as batch:
            known = await batch.contacts_at((d.address for d in doors if d.address), create=False)
            asks = await resolve_requests(batch, doors, known)
            states = dict(await batch.read_states({ask.contact.contact_id for ask in asks if ask.contact}))
            states |= await with_suppressions(batch, states)
            snapshot = await batch.load_snapshot((), campaigns=campaigns_of(asks))
            sends = await campaign_sends_of(batch, policy, asks)
        wants = {want for one in asked for want in _wants(policy, one.event, snapshot.now_us)}
        left = await self._reader.left(list(wants)) if wants else {}
        unmet = [d.address.hash for d in doors if d.address and d.address.hash not in known]
        lists = await self._reader.lists_at(unmet) if unmet else {}
        return _Seen(policy, asks, states, snapshot, sends, left, lists)

    def _record(self, seen: _Seen, ask: ResolvedRequest) -> DecisionMade:
        contact = ask.contact or self._stranger(ask)
        policy, now_us = seen.policy, seen.snapshot.now_us
        if ask.refusal or contact is None:
            reason = ask.refusal or "unknown_contact"
            return refused_record(ask, reason, policy_version=policy.version, now_us=now_us)
        state = seen.state_of(contact, ask.event.campaign)
        decision = decide(policy, state, self._request(seen, ask, contact), now_us)
        record = render_decided(
            ask, contact, decision, policy_version=policy.version, state_version=state.version, now_us=now_us
        )
        unknown = {} if ask.contact else {"contact_id": None}
        shown = DecisionMade.model_validate_json(record.value)
        return shown.model_copy(update={"grant": None, **unknown})

    def _request(self, seen: _Seen, ask: ResolvedRequest, contact: Contact) -> Request:
        snapshot = seen.snapshot
        request = request_of(
            ask,
            contact,
            directory=self._means.directory,
            templates=snapshot.templates,
            now_us=snapshot.now_us,
        )
        wants = _wants(seen.policy, ask.event, snapshot.now_us)
        return replace(
            request,
            cancelled=ask.campaign in snapshot.cancelled,
            budget_left={want.rule: seen.budget_left.get(want, 0) for want in wants},
        )

    def _stranger(self, ask: ResolvedRequest) -> Contact | None:
        """Give an address nobody has written to yet a contact that is not stored."""
        address = address_of(ask.event, hash_key=self._means.hash_key)
        if address is None:
            return None
        kind: Literal["group", "person"] = "group" if address.kind == "group_id" else "person"
        return Contact(ContactId(uuid4()), kind, address)


def _wants(policy: Policy, event: SendRequested, now_us: int) -> list[BudgetRequest]:
    """Name the budgets a request draws on."""
    accounts = (budget.account(policy, event, now_us) for budget in policy.budgets.values())
    return [BudgetRequest(*account, count=1) for account in accounts if account is not None]
