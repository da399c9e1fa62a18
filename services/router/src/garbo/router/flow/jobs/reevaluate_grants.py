"""Background job: under another policy, decide again what the one before allowed and has not left."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from garbo.common.events.ids import ContactId
from garbo.router.domain.grant import Grant
from garbo.router.flow.jobs.lock_contacts import JobDependencies, lock_contacts
from garbo.router.flow.jobs.schedule import Schedule
from garbo.router.flow.reevaluation import reevaluate_under_policy
from garbo.router.ports.jobs import GrantRef

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

    dependencies: JobDependencies
    name: ClassVar[str] = "reevaluate_grants"
    schedule: ClassVar[Schedule] = Schedule(interval_s=5.0)
    _version: str = ""
    _found_nothing: int = 0

    async def once(self) -> bool:
        """Decide some; tells whether there may be more. Raises `RetryLater`."""
        version = self.dependencies.policies.current.version
        if version != self._version:
            self._version, self._found_nothing = version, 0
        if self._found_nothing >= LOOKS:
            return False
        async with self.dependencies.store.transaction() as transaction:
            newest = await transaction.is_newest_policy(version)
            refs = await transaction.outdated(version, FOUND_AT_ONCE) if newest else ()
        self._found_nothing = 0 if refs else self._found_nothing + 1
        checked = 0
        for start in range(0, len(refs), AT_ONCE):
            checked += await self._reevaluate(refs[start : start + AT_ONCE])
        return checked > 0

    async def _reevaluate(self, refs: Sequence[GrantRef]) -> int:
        async with self.dependencies.store.transaction() as transaction:
            uow = await lock_contacts(transaction, self.dependencies, refs, to_decide=True)
            outdated: dict[ContactId, list[Grant]] = defaultdict(list)
            for grant in uow.grants.values():
                if grant.state == "reserved" and grant.policy_version != uow.policy.version:
                    outdated[grant.contact_id].append(grant)
            revoked = sum(reevaluate_under_policy(uow, grants) for grants in outdated.values())
            if outdated:
                await transaction.save(uow.changes())
        for _ in range(revoked):
            self.dependencies.job_meter.released("policy_changed")
        return sum(map(len, outdated.values()))
