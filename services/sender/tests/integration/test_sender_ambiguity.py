"""Each way an answer can go wrong, before and after it accepted: what we conclude is never untrue."""

from pathlib import Path
from typing import Final, get_args

import pytest

from garbo.common.events.addresses import Recipient
from garbo.common.events.content import TemplateContent
from garbo.common.events.template import Language, Template
from garbo.sender.domain.outcomes import Accepted, Answer, Failed, NotYet, Outcome, Unknown, judge
from garbo.sender.outbound.whatsapp import WhatsAppApi
from garbo.simulator.faults import Kind
from libs.simulator.tests.support.world import NUMBER, Running, running_world
from services.sender.tests.support.builders import a_grant, a_send

pytestmark = pytest.mark.integration

ONE: Final = ({"type": "body", "parameters": [{"type": "text", "text": "Ada"}]},)
PROMO: Final = TemplateContent(
    template=Template.model_validate(
        {"name": "spring_sale", "language": Language(code="en"), "components": ONE}
    )
)
CODES: Final = {"error": 131016, "accept_then_error": 131000, "failed_status": 131049}


async def outcome_of(running: Running, kind: Kind) -> tuple[Outcome, int]:
    """Send once while this goes wrong: what we conclude, and how many the platform accepted."""
    fault = {"kind": kind, "next": 1, "code": CODES.get(kind, 131000), "hang_ms": 50}
    assert (await running.client.patch("/control", json={"faults": [fault]})).status_code == 200
    api = WhatsAppApi(url=running.url, version="v25.0", tokens={NUMBER.id: str(NUMBER.token)})
    await api.start()
    try:
        grant = a_grant(number=NUMBER.id, to=Recipient(phone="+393331234567"))
        send = a_send(grant.model_copy(update={"content": PROMO}))
        answer: Answer = await api.post(send, attempt_id="m.1")
    finally:
        await api.stop()
    return judge(answer), len(running.world.ledger)


@pytest.mark.parametrize("kind", get_args(Kind))
async def test_what_the_platform_accepted_is_never_taken_for_not_sent(tmp_path: Path, kind: Kind) -> None:
    async with running_world(tmp_path) as running:
        outcome, accepted = await outcome_of(running, kind)
    match outcome:
        case Accepted():
            assert accepted == 1
        case Failed() | NotYet():
            assert accepted == 0, "it would be sent twice"
        case Unknown():
            assert not kind.startswith(("failed_", "statuses_"))


async def test_an_error_before_acceptance_is_worth_another_try(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        outcome, accepted = await outcome_of(running, "error")
    assert isinstance(outcome, NotYet | Unknown)
    assert accepted == 0
