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
from garbo.router.domain.decide import decide_prepared
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
from garbo.router.flow.decide_requests import scope_of_requests
from garbo.router.flow.dependencies import Dependencies
from garbo.router.flow.records import decision_record, refused_record
from garbo.router.flow.request import (
    ReceivedRequest,
    ResolvedRequest,
    find_recipients,
    new_candidate,
    read_requests,
)
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
    requests: Sequence[ResolvedRequest]
    snapshot: Snapshot
    budget_left: Mapping[BudgetRequest, int]
    lists: Mapping[str, Mapping[str, int]]
    """What suppression lists say of addresses nobody has written to yet, by hash."""

    def state_of(self, contact: Contact, campaign: str | None) -> RecipientState:
        """Give the state a decision would start from."""
        fresh = RecipientState(suppressed=self.lists.get(contact.address.hash, {}))
        state = self.snapshot.states.get(contact.contact_id, fresh)
        sends = self.snapshot.campaign_sends.get((contact.contact_id, campaign or ""), ())
        return replace(state, campaign_sends=tuple(sends)) if sends else state


class PreviewRequests:
    """Decides with `decide`, from what is stored now; each request alone, as if no other were asked."""

    def __init__(self, dependencies: Dependencies, reader: PreviewReader) -> None:
        self._dependencies, self._reader = dependencies, reader

    async def preview(self, asked: Sequence[ReceivedRequest]) -> list[DecisionMade]:
        """Give the record of each, without a grant."""
        seen = await self._see(asked)
        return [self._record(seen, ask) async for ask in yielding(seen.requests)]

    async def preview_people(self, event: SendRequested, people: Sequence[Recipient]) -> PeoplePreview:
        """Give the answer to one request for each of many people."""
        asked = [ReceivedRequest(event.model_copy(update={"to": to, "request_id": uuid4()})) for to in people]
        seen = await self._see(asked)
        decisions = [self._record(seen, ask) async for ask in yielding(seen.requests)]
        return PeoplePreview(seen.snapshot.now_us, seen.policy.version, decisions)

    async def _see(self, asked: Sequence[ReceivedRequest]) -> _Seen:
        dependencies, policy = self._dependencies, self._dependencies.policies.current
        requests = read_requests(asked, directory=dependencies.directory, hash_key=dependencies.hash_key)
        async with dependencies.store.transaction() as transaction:
            known = await transaction.contacts_at(r.address for r in requests if r.address)
            requests = await find_recipients(transaction, requests, known)
            snapshot = await transaction.load(scope_of_requests(policy, requests, lock=False))
        wants = {want for one in asked for want in _wants(policy, one.event, snapshot.now_us)}
        left = await self._reader.left(list(wants)) if wants else {}
        unmet = [r.address.hash for r in requests if r.address and r.address.hash not in known]
        lists = await self._reader.lists_at(unmet) if unmet else {}
        return _Seen(policy, requests, snapshot, left, lists)

    def _record(self, seen: _Seen, resolved: ResolvedRequest) -> DecisionMade:
        contact = resolved.contact or _stranger(resolved)
        policy, now_us = seen.policy, seen.snapshot.now_us
        directory, templates = self._dependencies.directory, seen.snapshot.templates
        refusal = resolved.refusal or directory.content_refusal(
            resolved.received.event, contact, templates, now_us
        )
        if refusal or contact is None:
            reason = refusal or "unknown_contact"
            return refused_record(resolved, reason, policy_version=policy.version, now_us=now_us)
        state = seen.state_of(contact, resolved.received.event.campaign)
        if resolved.is_hidden(state):
            return refused_record(resolved, "unknown_contact", policy_version=policy.version, now_us=now_us)
        candidate = new_candidate(
            resolved,
            contact,
            policy=policy,
            state=state,
            directory=directory,
            snapshot=seen.snapshot,
        )
        wants = _wants(policy, resolved.received.event, now_us)
        left = {want.rule: seen.budget_left.get(want, 0) for want in wants}
        decision = decide_prepared(candidate.prepared.given(left), state)
        record = decision_record(
            candidate, decision, policy_version=policy.version, state_version=state.version, now_us=now_us
        )
        shown = DecisionMade.model_validate_json(record.value)
        return shown if resolved.contact else shown.model_copy(update={"contact_id": None})


def _stranger(resolved: ResolvedRequest) -> Contact | None:
    """Give an address nobody has written to yet a contact that is not stored."""
    if resolved.address is None:
        return None
    kind: Literal["group", "person"] = "group" if resolved.address.kind == "group_id" else "person"
    return Contact(ContactId(uuid4()), kind, resolved.address)


def _wants(policy: Policy, event: SendRequested, now_us: int) -> list[BudgetRequest]:
    """Name the budgets a request draws on."""
    accounts = (budget.account(policy, event, now_us) for budget in policy.budgets.values())
    return [BudgetRequest(*account, count=1) for account in accounts if account is not None]
