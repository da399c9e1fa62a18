"""Writing a decision down: whatever the rules answer, nothing is decided in circles."""

import pytest

from garbo.common.events.ids import ContactId
from garbo.router.domain.decision import Decision
from garbo.router.domain.prepared_request import prepare
from garbo.router.domain.templates import Templates
from garbo.router.flow.decision import NOT_AT_ONCE_US, Outcome, record_decision
from garbo.router.flow.directory import Directory
from garbo.router.flow.request import Candidate, ReceivedRequest
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.contacts import Contact
from garbo.router.ports.store import Snapshot, StoredDecision
from services.router.tests.support.build import PHONE_ADDRESS, business, requested
from services.router.tests.support.build_domain import a_request, a_state, at
from services.router.tests.support.meter import CountingMeter
from services.router.tests.support.policies import policy_of

NOW_US = at("2026-06-01T10:00:00Z")


@pytest.mark.parametrize(("sequence", "wait_us"), [(1, 0), (2, NOT_AT_ONCE_US)])
def test_request_that_waits_again_waits_a_second_at_least(sequence: int, wait_us: int) -> None:
    policy, state, event = policy_of(), a_state(), requested()
    contact = Contact(ContactId(event.request_id), "person", PHONE_ADDRESS)
    stored = StoredDecision(event.message_id, "crm", event.request_id, b"", contact.contact_id, (b"{}",))
    snapshot = Snapshot(
        NOW_US, Templates(), states={contact.contact_id: state}, decisions={event.message_id: stored}
    )
    uow = UnitOfWork(policy, Directory(business()), CountingMeter(), snapshot)
    prepared = prepare(policy, state, a_request(), NOW_US)
    candidate = Candidate(ReceivedRequest(event), contact, event.message_id, prepared, sequence=sequence)
    at_once = Decision("defer", "cap_reached", next_allowed_at_us=NOW_US, due_at_us=NOW_US)
    record_decision(uow, Outcome(candidate, at_once, state))
    assert uow.deferred[event.message_id].due_at_us == NOW_US + wait_us
