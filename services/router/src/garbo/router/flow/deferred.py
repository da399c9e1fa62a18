"""What waits and may be free by now, as it is decided again."""

from collections.abc import Iterable, Sequence

from garbo.common.priority import yielding
from garbo.router.flow.reevaluation import stored_candidate
from garbo.router.flow.request import Candidate
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.store import Deferred


async def deferred_candidates(uow: UnitOfWork, waiting: Iterable[Deferred]) -> list[Candidate]:
    """Give what is to be decided in arbitration order; deny whom nobody knows, and what nobody wants now."""
    found: list[Candidate] = []
    async for one in yielding(waiting):
        read = _candidate(uow, one)
        if isinstance(read, str):
            uow.dismiss(one.message_id, reason=read)
        else:
            found.append(read)
    for older in _superseded(uow, found):
        uow.dismiss(older.message_id, reason="superseded")
        found.remove(older)
    return sorted(found, key=lambda candidate: candidate.prepared.request.arbitration_key)


def _candidate(uow: UnitOfWork, one: Deferred) -> Candidate | str:
    state = uow.states.get(one.contact_id)
    if state is not None and state.erased:
        return "erased"
    first_us = one.first_decided_at_us
    return stored_candidate(uow, one, one.request, first_decided_at_us=first_us, trace=one.trace)


def _superseded(uow: UnitOfWork, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Give what a newer deferred request of the same campaign to the same person replaces, by the policy."""
    if uow.policy.same_campaign != "keep_newest":
        return []
    newest: dict[object, Candidate] = {}
    older: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda candidate: candidate.age):
        if candidate.campaign is None:
            continue
        scope = (candidate.campaign, candidate.prepared.request.brand)
        if scope in newest:
            older.append(newest[scope])
        newest[scope] = candidate
    return older
