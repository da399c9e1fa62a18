"""The whole flow on a real PostgreSQL and real sockets; only Kafka is left out."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from garbo.common.errors import Reject
from garbo.common.events.addresses import Recipient
from garbo.common.events.ids import platform_message_ref
from garbo.sender.ports.attempts import PlannedAttempt
from libs.common.tests.support.waiting import until
from services.sender.tests.support.builders import NUMBER, a_grant, a_send, a_status
from services.sender.tests.support.graph import FakeGraph, Reply, error_reply, fake_graph
from services.sender.tests.support.postgres import SenderDatabase
from services.sender.tests.support.running_sender import Sender, a_sender

pytestmark = pytest.mark.integration


async def test_a_grant_is_sent_and_published(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    grant = a_grant().model_copy(update={"reply_to": "wamid.question"})
    await sender_database.book(grant)
    await sender.send(grant)
    [result] = sender.published(grant)
    assert (result.outcome, result.platform_message_ref) == (
        "accepted",
        platform_message_ref(f"wamid.{grant.message_id}.1"),
    )
    assert graph.paths == [f"/v25.0/{NUMBER}/messages"]
    assert graph.tokens == ["Bearer token-one"]
    assert graph.posts == [
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "+16505550101",
            "type": "text",
            "text": {"body": "hello", "preview_url": False},
            "context": {"message_id": "wamid.question"},
            "biz_opaque_callback_data": f"{grant.message_id}.1",
        }
    ]


@pytest.mark.parametrize(
    ("to", "field"),
    [
        (Recipient(user_id="US.13491208655302741918"), ("recipient", "US.13491208655302741918")),
        (Recipient(group_id="group-1"), ("to", "group-1")),
    ],
    ids=["by_user_id", "to_a_group"],
)
async def test_other_recipients_have_their_own_field(
    sender: Sender,
    graph: FakeGraph,
    sender_database: SenderDatabase,
    to: Recipient,
    field: tuple[str, str],
) -> None:
    grant = a_grant(to=to)
    await sender_database.book(grant)
    await sender.send(grant)
    assert graph.posts[0][field[0]] == field[1]
    assert {"to", "recipient"} - {field[0]} - graph.posts[0].keys()


async def test_a_redelivered_batch_is_published_again_and_posts_nothing(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    grants = [a_grant(), a_grant(lane="promo")]
    await sender_database.book(*grants)
    await sender.send(grants[0], grants[0])
    await sender.send(grants[1])
    first = list(sender.results.published)
    await sender.send(*grants)
    assert sorted(r.model_dump_json() for r in sender.results.published[2:]) == sorted(
        r.model_dump_json() for r in first
    )
    assert len(graph.posts) == 2


NO_ACCEPTANCE = {
    "template_unknown": (error_reply(132001, status=404), ("failed", 132001, "template_unknown")),
    "cooldown": (error_reply(131049), ("failed", 131049, "platform_cooldown")),
    "stopped": (error_reply(131050), ("failed", 131050, "stopped_marketing")),
    "window_closed": (error_reply(131047), ("failed", 131047, "window_closed")),
    "server_error": (error_reply(131000, status=500), ("unknown", 131000, "platform_error")),
    "proxy_page": (Reply(status=502, body=b"<html>bad gateway"), ("unknown", None, "server_error")),
    "garbage": (Reply(status=200, body=b"not json"), ("unknown", None, "unreadable_answer")),
    "accepted_and_hung_up": (Reply("hang_up"), ("unknown", None, "broken")),
    "code_beyond_any": (error_reply(10**12), ("failed", None, "http_400")),
    "code_of_many_digits": (
        Reply(status=400, body=b'{"error": {"code": "' + b"9" * 5000 + b'"}}'),
        ("failed", None, "http_400"),
    ),
    "nested_for_ever": (Reply(status=200, body=b"[" * 100_000), ("unknown", None, "unreadable_answer")),
}


@pytest.mark.parametrize(("reply", "told"), NO_ACCEPTANCE.values(), ids=NO_ACCEPTANCE.keys())
async def test_an_answer_that_is_no_acceptance_is_published_as_it_is_and_never_posted_again(
    sender: Sender,
    graph: FakeGraph,
    sender_database: SenderDatabase,
    reply: Reply,
    told: tuple[str, int | None, str],
) -> None:
    grant = a_grant(lane="promo")
    await sender_database.book(grant)
    graph.script.append(reply)
    for _ in range(2):
        await sender.send(grant)
    result, again = sender.published(grant)
    assert (result.outcome, result.code, result.reason) == told
    assert again == result
    assert len(graph.posts) == 1


@pytest.mark.parametrize("code", [130429, 131056, 80007, 4], ids=str)
async def test_throttling_does_not_use_up_the_grant(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase, code: int
) -> None:
    grant = a_grant(lane="promo")
    await sender_database.book(grant)
    graph.script.append(error_reply(code))
    await sender.send(grant)
    assert [r.outcome for r in sender.published(grant)] == ["accepted"]
    assert await sender_database.attempts() == {
        f"{grant.message_id}.1": "rejected",
        f"{grant.message_id}.2": "accepted",
    }


async def test_a_wamid_the_database_could_not_hold_is_known_by_its_hash_as_any_other(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    grant = a_grant(lane="promo")
    await sender_database.book(grant)
    graph.script.append(Reply(body=b'{"messages": [{"id": "wamid.\\u0000"}]}'))
    await sender.send(grant)
    assert [(r.outcome, r.platform_message_ref) for r in sender.published(grant)] == [
        ("accepted", platform_message_ref("wamid.\ufffd"))
    ]


async def test_a_status_with_a_code_beyond_any_is_refused_and_no_bug(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    grant = a_grant(lane="promo")
    await sender_database.book(grant)
    graph.script.append(Reply("hang_up"))
    await sender.send(grant)
    with pytest.raises(Reject, match="unstorable"):
        await sender.settle_attempts.settle([(a_status(f"{grant.message_id}.1", "failed", code=2**40), None)])


async def test_one_members_failure_settles_no_group_send(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    grant = a_grant(to=Recipient(group_id="group-1"))
    await sender_database.book(grant)
    graph.script.append(Reply("hang_up"))
    await sender.send(grant)
    failed = a_status(f"{grant.message_id}.1", "failed", code=131026)
    await sender.settle_attempts.settle([(failed.model_copy(update={"participant": "+16505550102"}), None)])
    assert [r.outcome for r in sender.published(grant)] == ["unknown"]


async def test_an_unknown_send_is_settled_by_its_status(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    grant = a_grant(lane="promo")
    await sender_database.book(grant)
    graph.script.append(Reply("hang_up"))
    await sender.send(grant)
    status = a_status(f"{grant.message_id}.1", wamid="wamid.from.status")
    await sender.settle_attempts.settle([(status, None), (a_status("no.1"), None), (a_status(None), None)])
    assert [(r.outcome, r.platform_message_ref) for r in sender.published(grant)] == [
        ("unknown", None),
        ("accepted", platform_message_ref("wamid.from.status")),
    ]
    await sender.send(grant)
    assert len(graph.posts) == 1


async def test_a_late_grant_is_refused_and_never_posted(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    late, closing, stranger = (
        a_grant(valid_for=timedelta(seconds=-1)),
        a_grant(window_for=timedelta(seconds=1)),
        a_grant(number="999"),
    )
    await sender_database.book(late, closing, stranger)
    await sender.send(late, closing, stranger)
    assert [sender.published(g)[0].reason for g in (late, closing, stranger)] == [
        "lease_expired",
        "window_closing",
        "unknown_number",
    ]
    assert graph.posts == []


async def test_a_revoked_grant_is_not_sent_and_its_neighbour_is(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    stopped, other, unheard = a_grant(lane="promo"), a_grant(lane="promo"), a_grant(lane="promo")
    await sender_database.book(stopped, other)
    await sender_database.revoke(stopped)
    await sender.send(stopped, other, unheard)
    reasons = [(r.outcome, r.reason) for g in (stopped, other, unheard) for r in sender.published(g)]
    assert reasons == [("not_sent", "revoked"), ("accepted", None), ("not_sent", "unknown_grant")]
    assert len(graph.posts) == 1


async def test_of_two_days_grants_in_one_batch_the_later_is_sent(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    new = a_grant(lane="promo")
    day = timedelta(days=1)
    before = {"grant_id": a_grant().grant_id, "epoch": 3, "not_before": new.not_before - day}
    old = new.model_copy(update=before)
    await sender_database.book(new, old)
    await sender_database.revoke(old)
    for batch in ([old, new], [new, old]):
        await sender.send(*batch)
    assert {(r.grant_id, r.outcome) for r in sender.published(new)} == {(new.grant_id, "accepted")}
    assert len(graph.posts) == 1


async def test_a_server_that_is_down_costs_nothing_but_time(sender_database: SenderDatabase) -> None:
    grant = a_grant()
    await sender_database.book(grant)
    async with fake_graph() as gone:
        url = gone.url
    async with a_sender(sender_database, url) as sender:
        sends = asyncio.create_task(sender.send(grant))
        await until(sender_database.attempts, lambda attempts: "rejected" in attempts.values())
        async with fake_graph(port=int(url.rsplit(":", 1)[1])) as back:
            await sends
            assert len(back.posts) == 1
        assert [r.outcome for r in sender.published(grant)] == ["accepted"]


async def test_while_a_server_is_down_deadlines_are_kept(sender_database: SenderDatabase) -> None:
    short, long = a_grant(valid_for=timedelta(seconds=1)), a_grant()
    await sender_database.book(short, long)
    async with fake_graph() as gone:
        url = gone.url
    async with a_sender(sender_database, url) as sender:
        await sender.take(short, long)
        await until(lambda: sender.published(short))
        assert [(r.outcome, r.reason) for r in sender.published(short)] == [("not_sent", "lease_expired")]
        assert sender.published(long) == []
    assert list(await sender_database.waiting()) == [long.message_id]


async def test_what_is_under_way_when_it_stops_is_finished_and_told(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    grant = a_grant(lane="promo")
    await sender_database.book(grant)
    graph.delay_s = 0.3
    async with a_sender(sender_database, graph.url) as sender:
        await sender.take(grant)
        await until(lambda: graph.posts)
    assert [r.outcome for r in sender.published(grant)] == ["accepted"]
    assert await sender_database.waiting() == {}


async def test_closing_begins_nothing_new_and_keeps_what_came(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    grant = a_grant()
    await sender_database.book(grant)
    sender.sending.dispatch.close()
    await sender.take(grant)
    await sender.sending.dispatch.stop()
    assert graph.posts == []
    assert list(await sender_database.waiting()) == [grant.message_id]


async def test_recovery_tells_what_was_left_over(sender: Sender, sender_database: SenderDatabase) -> None:
    grant = a_grant(lane="promo")
    await sender_database.book(grant)
    sender.sending.dispatch.close()
    await sender.take(grant)
    [begun] = await sender.attempts.begin([PlannedAttempt(a_send(grant), None)])
    assert begun.outcome == "begun"
    await replace(sender.recovery, older_than=timedelta(0)).look_once()
    assert [(r.outcome, r.reason) for r in sender.published(grant)] == [("unknown", "interrupted")]
    assert await sender_database.waiting() == {grant.message_id: "ambiguous"}
