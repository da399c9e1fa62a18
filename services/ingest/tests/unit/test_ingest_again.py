"""A webhook's body is kept as it came, and can be read again: the same parts, and none that is too old."""

from datetime import timedelta
from pathlib import Path
from typing import Final, NoReturn

import orjson
import pytest
from starlette.types import ASGIApp

from garbo.common.business import Business
from garbo.common.errors import Reject
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.template_registry import TemplateRegistry
from garbo.ingest.app import flows_of
from garbo.ingest.domain import webhook
from garbo.ingest.domain.messages import read_message
from garbo.ingest.domain.parts import Found, Origin
from garbo.ingest.domain.statuses import read_status
from garbo.ingest.flow import webhooks as flow
from garbo.ingest.flow.webhooks import READ_AGAIN_WITHIN, TakeWebhooks
from garbo.ingest.outbound.business import BusinessPublishers
from garbo.ingest.ports import ReceivedBody
from garbo.ingest.settings import IngestSettings
from libs.common.tests.support.clock import FixedClock
from services.ingest.tests.support.event_log import MemoryEventLog
from services.ingest.tests.support.http import AnyJson, ask
from services.ingest.tests.support.webhooks import signed

PAYLOADS: Final = Path(__file__).parents[1] / "payloads"
BODIES: Final = {path.stem: path.read_bytes() for path in PAYLOADS.glob("*.json") if "bad_" not in path.stem}
STOP: Final = BODIES["stop_keyword_text"]


@pytest.fixture
def webhooks(
    ingest_settings: IngestSettings,
    ingest_business: Business,
    event_log: MemoryEventLog,
    ingest_clock: FixedClock,
) -> TakeWebhooks:
    flows = flows_of(
        ingest_settings,
        publishers=BusinessPublishers(ingest_business),
        log=event_log,
        templates=TemplateRegistry(),
        clock=ingest_clock,
    )
    return flows.webhooks


def with_message(**more: AnyJson) -> bytes:
    body: AnyJson = orjson.loads(STOP)
    messages = body["entry"][0]["changes"][0]["value"]["messages"]
    messages.append(messages[0] | {"id": "wamid.second"} | more)
    return orjson.dumps(body)


@pytest.mark.parametrize("body", [STOP, b"{", b"\xff\xfe", with_message(timestamp="soon")])
async def test_a_signed_body_is_kept_as_it_came(
    ingest_app: ASGIApp, event_log: MemoryEventLog, ingest_clock: FixedClock, body: bytes
) -> None:
    answer = await ask(ingest_app, "POST /webhooks/whatsapp", body=body, headers=[signed(body, "new-secret")])
    assert answer is not None
    assert answer.status == 200
    assert event_log.received == [ReceivedBody(body, ingest_clock.now())]
    assert event_log.entries


async def test_a_body_that_is_not_kept_is_not_kept_in_part(
    ingest_app: ASGIApp, event_log: MemoryEventLog
) -> None:
    event_log.down = True
    answer = await ask(ingest_app, "POST /webhooks/whatsapp", body=STOP, headers=[signed(STOP, "new-secret")])
    assert answer is not None
    assert answer.status == 503
    assert not event_log.received


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_what_is_read_again_makes_the_same_parts(
    webhooks: TakeWebhooks, event_log: MemoryEventLog, ingest_clock: FixedClock, body: bytes
) -> None:
    await webhooks.take(body, secret=0)
    first = [*event_log.found]
    event_log.entries.clear()
    ingest_clock.advance(timedelta(days=6))
    await webhooks.take_again(event_log.received)
    assert event_log.found == first
    assert first
    assert len(event_log.received) == 1, "what is read again is not kept once more"


async def test_several_are_read_again_at_once(
    webhooks: TakeWebhooks, event_log: MemoryEventLog, ingest_clock: FixedClock
) -> None:
    bodies = [ReceivedBody(STOP, ingest_clock.now()), ReceivedBody(with_message(), ingest_clock.now())]
    assert await webhooks.take_again(bodies) == {"InboundMessage": 3}
    assert len(event_log.found) == 3


async def test_what_readers_may_have_forgotten_is_refused(
    webhooks: TakeWebhooks, event_log: MemoryEventLog, ingest_clock: FixedClock
) -> None:
    old = ReceivedBody(STOP, ingest_clock.now() - READ_AGAIN_WITHIN - timedelta(seconds=1))
    just = ReceivedBody(STOP, ingest_clock.now() - READ_AGAIN_WITHIN)
    with pytest.raises(Reject, match="too_old"):
        await webhooks.take_again([old])
    assert not event_log.entries
    await webhooks.take_again([just])
    assert event_log.found


@pytest.mark.parametrize(
    ("body", "why"), [(b"{", "not_json"), (b'{"object": "page"}', "invalid:object")], ids=["torn", "page"]
)
async def test_what_still_cannot_be_read_is_refused_whole(
    webhooks: TakeWebhooks, event_log: MemoryEventLog, ingest_clock: FixedClock, body: bytes, why: str
) -> None:
    with pytest.raises(Reject, match=why):
        await webhooks.take_again([ReceivedBody(body, ingest_clock.now())])
    assert not event_log.entries


async def test_a_part_that_is_still_broken_stays_a_letter_and_the_others_go_on(
    webhooks: TakeWebhooks, event_log: MemoryEventLog, ingest_clock: FixedClock
) -> None:
    received_at = ingest_clock.now() - timedelta(days=1)
    again = await webhooks.take_again([ReceivedBody(with_message(timestamp="soon"), received_at)])
    assert again == {"InboundMessage": 1, "dead_letter": 1}
    assert [type(found.event) for found in event_log.found] == [InboundMessage]
    (letter,) = event_log.dead
    assert (letter.reason, letter.received_at) == ("invalid:timestamp", received_at)
    with pytest.raises(Reject, match="invalid:timestamp"):
        await webhooks.take_again([ReceivedBody(letter.body, letter.received_at)])


async def test_a_bug_of_the_reader_is_one_parts_and_ends_nothing(
    webhooks: TakeWebhooks,
    event_log: MemoryEventLog,
    ingest_clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planted: a reader of messages that breaks at the second one, as it would at something new."""

    def breaks(message: object, origin: Origin) -> Found:
        if isinstance(message, dict) and message["id"] == "wamid.second":
            raise RuntimeError("a bug")
        return read_message(message, origin)

    monkeypatch.setattr(webhook, "_LISTS", (("messages", breaks), ("statuses", read_status)))
    came = ReceivedBody(with_message(), ingest_clock.now())
    assert (await webhooks.take(came.body, secret=0)).parts == {"InboundMessage": 1, "dead_letter": 1}
    (letter,) = event_log.dead
    assert letter.reason == "unreadable:RuntimeError"
    assert b"wamid.second" in letter.body
    assert await webhooks.take_again([came]) == {"InboundMessage": 1, "dead_letter": 1}
    with pytest.raises(Reject, match="unreadable:RuntimeError"):
        await webhooks.take_again([ReceivedBody(letter.body, came.received_at)])

    def broken(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("another bug")

    monkeypatch.setattr(flow, "split_webhook", broken)
    assert (await webhooks.take(came.body, secret=0)).parts == {"dead_letter": 1}
    assert event_log.dead[-1].body == came.body


async def test_one_too_large_among_several_is_left_to_be_given_alone(
    webhooks: TakeWebhooks, event_log: MemoryEventLog, ingest_clock: FixedClock
) -> None:
    large = ReceivedBody(with_message(text={"body": "x" * 9000}), ingest_clock.now())
    event_log.largest_bytes = 8000
    with pytest.raises(Reject):
        await webhooks.take_again([ReceivedBody(STOP, ingest_clock.now()), large])
    assert not event_log.entries
    assert await webhooks.take_again([large]) == {"InboundMessage": 1, "dead_letter": 1}
