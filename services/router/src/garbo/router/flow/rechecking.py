"""Use case: under another policy, decide again what the one before allowed and has not left."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from garbo.common.events.ids import ContactId
from garbo.router.domain.decide import decide
from garbo.router.domain.grant import Grant, revoke
from garbo.router.domain.request import Request
from garbo.router.domain.state import with_send, without_send
from garbo.router.domain.values import replace
from garbo.router.flow.bench import Again, Bench, lasting_sends
from garbo.router.flow.claiming import claimed_ledger
from garbo.router.flow.directory import Directory
from garbo.router.flow.ledger import Ledger
from garbo.router.flow.policies import Policies
from garbo.router.flow.stock import Shelf, budget_rules
from garbo.router.ports import Meter
from garbo.router.work_ports import Held, WorkBatch, WorkMeter, WorkStore

FOUND_AT_ONCE: Final = 2_000
AT_ONCE: Final = 200
LOOKS: Final = 200
"""Routers that still run the policy before go on giving grants for a while."""
ENOUGH: Final = 1 << 30
"""What is left of a budget, to who has paid already."""


@dataclass(slots=True)
class RecheckGrants:
    """Each grant that another policy gave is decided once more, as if it were not there.

    What is still permitted stands, for as long as the new policy says; it is marked, and not looked at again.
    What is not is taken back with its slot, and waits or is denied as the new decision says. Claimed grants
    stand. Only the newest policy's routers do it, so that an old one still running changes nothing back. Once
    it has found nothing for long enough, it looks no more until the policy changes.
    """

    store: WorkStore
    meter: Meter
    work: WorkMeter
    policies: Policies
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

    async def _recheck(self, held: Sequence[Held]) -> int:
        async with self.store.batch() as batch:
            bench = await self._open(batch, held)
            version = bench.ledger.policy.version
            outdated: dict[ContactId, list[Grant]] = defaultdict(list)
            for grant in bench.ledger.grants.values():
                if grant.state == "reserved" and grant.policy_version != version:
                    outdated[grant.contact_id].append(grant)
            revoked = sum(_decide_grants(bench, grants) for grants in outdated.values())
            if outdated:
                await batch.write(bench.changes())
        for _ in range(revoked):
            self.work.released("policy_changed")
        return sum(map(len, outdated.values()))

    async def _open(self, batch: WorkBatch, held: Sequence[Held]) -> Bench:
        ledger = await claimed_ledger(batch, self.policies, self.meter, held)
        ledger.contacts = await batch.contacts_of(ledger.states)
        campaigns = [(grant.contact_id, grant.campaign) for grant in ledger.grants.values()]
        lasting = await lasting_sends(batch, ledger.policy, campaigns)
        return Bench(ledger, self.directory, Shelf(ledger.policy, ledger.moment.now_us), lasting)


def _decide_grants(bench: Bench, grants: Sequence[Grant]) -> int:
    """Decide a recipient's grants in arbitration order, without their own sends; returns how many went."""
    ledger = bench.ledger
    readable: list[tuple[Again, Grant]] = []
    for grant in grants:
        read = bench.read(grant.message_id, grant.request or b"", ledger.contacts.get(grant.contact_id))
        if isinstance(read, str) or grant.contact_id not in ledger.states:
            _keep(bench, grant)  # nothing to decide it from
        else:
            readable.append((read, grant))
    readable.sort(key=lambda pair: pair[0].request.arbitration_key)
    before = {grant.contact_id: ledger.states[grant.contact_id] for _, grant in readable}
    without = dict(before)
    for _, grant in readable:
        without[grant.contact_id] = without_send(without[grant.contact_id], grant.message_id)
    revoked, undecided = 0, {grant.message_id for _, grant in readable}
    for again, grant in readable:
        state = bench.known(again, without[grant.contact_id], but=undecided)
        undecided.discard(grant.message_id)
        decision = decide(ledger.policy, state, _paid(again, ledger), ledger.moment.now_us)
        if decision.terms is None:
            ledger.settle(revoke(grant, reason=None), trace=None)
            bench.tell(again, decision)
            revoked += 1
            continue
        _keep(bench, replace(grant, valid_until_us=min(grant.valid_until_us, decision.terms.valid_until_us)))
        if send := before[grant.contact_id].send_of(grant.message_id):
            without[grant.contact_id] = with_send(without[grant.contact_id], send)
    return revoked


def _keep(bench: Bench, grant: Grant) -> None:
    kept = replace(grant, policy_version=bench.ledger.policy.version)
    bench.ledger.grants[grant.message_id] = bench.ledger.settled[grant.message_id] = kept


def _paid(again: Again, ledger: Ledger) -> Request:
    """Give the request with enough left of every budget: it has taken its share of them."""
    enough = {rule.reach.id: ENOUGH for rule in budget_rules(ledger.policy)}
    return replace(again.request, budget_left=enough)
