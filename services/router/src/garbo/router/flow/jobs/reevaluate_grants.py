"""Use case: under another policy, decide again what the one before allowed and has not left."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from garbo.common.events.ids import ContactId
from garbo.router.domain.decide import decide
from garbo.router.domain.grant import Grant, revoke
from garbo.router.domain.request import UNLIMITED
from garbo.router.domain.state import with_send, without_send
from garbo.router.domain.values import replace
from garbo.router.flow.budgets import BudgetAllowance
from garbo.router.flow.directory import Directory
from garbo.router.flow.jobs.claimed import claimed_unit_of_work
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.flow.reevaluation import Reevaluator, StoredRequest, campaign_sends_of_contacts
from garbo.router.ports.jobs import GrantRef, JobStore, JobTransaction
from garbo.router.ports.telemetry import JobMeter, Meter

FOUND_AT_ONCE: Final = 2_000
AT_ONCE: Final = 200
LOOKS: Final = 200
"""Routers that still run the policy before go on giving grants for a while."""


@dataclass(slots=True)
class ReevaluateGrants:
    """Each grant that another policy gave is decided once more, as if it were not there.

    What is still permitted stands, for as long as the new policy says; it is marked, and not looked at again.
    What is not is taken back with its slot, and waits or is denied as the new decision says. Claimed grants
    stand. Only the newest policy's routers do it, so that an old one still running changes nothing back. Once
    it has found nothing for long enough, it looks no more until the policy changes.
    """

    store: JobStore
    meter: Meter
    work: JobMeter
    policies: PolicyInForce
    directory: Directory
    _version: str = ""
    _found_nothing: int = 0

    async def once(self) -> bool:
        """Decide some; tells whether there may be more. Raises `RetryLater`."""
        version = self.policies.current.version
        if version != self._version:
            self._version, self._found_nothing = version, 0
        if self._found_nothing >= LOOKS:
            return False
        async with self.store.batch() as batch:
            newest = await batch.is_newest_policy(version)
            held = await batch.outdated(version, FOUND_AT_ONCE) if newest else ()
        self._found_nothing = 0 if held else self._found_nothing + 1
        checked = 0
        for start in range(0, len(held), AT_ONCE):
            checked += await self._recheck(held[start : start + AT_ONCE])
        return checked > 0

    async def _recheck(self, held: Sequence[GrantRef]) -> int:
        async with self.store.batch() as batch:
            reevaluator = await self._open(batch, held)
            version = reevaluator.uow.policy.version
            outdated: dict[ContactId, list[Grant]] = defaultdict(list)
            for grant in reevaluator.uow.grants.values():
                if grant.state == "reserved" and grant.policy_version != version:
                    outdated[grant.contact_id].append(grant)
            revoked = sum(_decide_grants(reevaluator, grants) for grants in outdated.values())
            if outdated:
                await batch.write(reevaluator.changes())
        for _ in range(revoked):
            self.work.released("policy_changed")
        return sum(map(len, outdated.values()))

    async def _open(self, batch: JobTransaction, held: Sequence[GrantRef]) -> Reevaluator:
        uow = await claimed_unit_of_work(batch, self.policies, self.meter, held)
        uow.contacts = await batch.contacts_of(uow.states)
        campaigns = [(grant.contact_id, grant.campaign) for grant in uow.grants.values()]
        lasting = await campaign_sends_of_contacts(batch, uow.policy, campaigns)
        return Reevaluator(uow, self.directory, BudgetAllowance(uow.policy, uow.snapshot.now_us), lasting)


def _decide_grants(reevaluator: Reevaluator, grants: Sequence[Grant]) -> int:
    """Decide a recipient's grants in arbitration order, without their own sends; returns how many went."""
    uow = reevaluator.uow
    readable: list[tuple[StoredRequest, Grant]] = []
    for grant in grants:
        read = reevaluator.read(grant.message_id, grant.request or b"", uow.contacts.get(grant.contact_id))
        if isinstance(read, str) or grant.contact_id not in uow.states:
            _keep(reevaluator, grant)  # nothing to decide it from
        else:
            readable.append((read, grant))
    readable.sort(key=lambda pair: pair[0].request.arbitration_key)
    before = {grant.contact_id: uow.states[grant.contact_id] for _, grant in readable}
    without = dict(before)
    for _, grant in readable:
        without[grant.contact_id] = without_send(without[grant.contact_id], grant.message_id)
    revoked, undecided = 0, {grant.message_id for _, grant in readable}
    for again, grant in readable:
        state = reevaluator.known(again, without[grant.contact_id], but=undecided)
        undecided.discard(grant.message_id)
        paid = replace(again.request, budget_left=UNLIMITED)
        decision = decide(uow.policy, state, paid, uow.snapshot.now_us)
        if decision.terms is None:
            uow.settle(revoke(grant, reason=None), trace=None)
            reevaluator.tell(again, decision)
            revoked += 1
            continue
        _keep(
            reevaluator,
            replace(grant, valid_until_us=min(grant.valid_until_us, decision.terms.valid_until_us)),
        )
        if send := before[grant.contact_id].send_of(grant.message_id):
            without[grant.contact_id] = with_send(without[grant.contact_id], send)
    return revoked


def _keep(reevaluator: Reevaluator, grant: Grant) -> None:
    kept = replace(grant, policy_version=reevaluator.uow.policy.version)
    reevaluator.uow.grants[grant.message_id] = reevaluator.uow.settled[grant.message_id] = kept
