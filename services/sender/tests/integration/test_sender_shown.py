"""The platform's answer to a send may name the person by another address: the router is told."""

import orjson
import pytest

from garbo.common.events.addresses import Person, Recipient
from services.sender.tests.support.builders import a_grant
from services.sender.tests.support.graph import FakeGraph, Reply
from services.sender.tests.support.postgres import SenderDatabase
from services.sender.tests.support.running_sender import Sender

pytestmark = pytest.mark.integration

SHOWN = "551187650002"
BOTH = Person(phone="+" + SHOWN, user_id="BR.1")


@pytest.mark.parametrize(
    ("to", "contact", "shown"),
    [
        (Recipient(phone="+5511987650002"), {"wa_id": SHOWN}, Person(phone="+" + SHOWN)),
        (Recipient(phone="+" + SHOWN), {"wa_id": SHOWN}, None),
        (
            Recipient(phone="+" + SHOWN),
            {"wa_id": SHOWN, "user_id": "BR.1"},
            Person(phone="+" + SHOWN, user_id="BR.1"),
        ),
        (Recipient(user_id="BR.1"), {"user_id": "BR.1"}, None),
        (Recipient(user_id="BR.1"), {"user_id": "BR.2"}, Person(user_id="BR.2")),
        (Recipient(group_id="group-1"), {"wa_id": SHOWN}, None),
    ],
)
async def test_address_the_answer_shows_is_told_where_it_is_another(
    sender: Sender,
    graph: FakeGraph,
    sender_database: SenderDatabase,
    to: Recipient,
    contact: dict[str, str],
    shown: Person | None,
) -> None:
    grant = a_grant(to=to)
    await sender_database.book(grant)
    answer = {"contacts": [{"input": "x", **contact}], "messages": [{"id": "wamid.1"}]}
    graph.script = [Reply(body=orjson.dumps(answer))]
    await sender.send(grant)
    told = [(one.message_id, one.contact_id, one.shown) for one in sender.results.shown]
    assert told == ([] if shown is None else [(grant.message_id, grant.contact_id, shown)])
