"""Promos that wait leave by themselves when their time has come, and never once something stops them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from garbo.common.events.zones import zone_rules
from libs.common.tests.support.waiting import until
from tests.e2e.stack import Json, Stack, request

pytestmark = pytest.mark.e2e

COOL_DOWN = timedelta(seconds=3)
BURST = timedelta(seconds=5)
"""Both as in policy.yaml."""


def patient(phone: str, *, tag: str = "patient", campaign: str | None = None) -> Json:
    """Make a promo that may wait."""
    return request(phone, tags=[tag]) | ({"campaign": campaign} if campaign else {})


def steps(story: Json) -> list[str]:
    return [step["what"] for step in story["story"]]


async def story_when(stack: Stack, asked: Json, holds: Callable[[Json], bool]) -> Json:
    """Wait until a message's story is as wanted."""
    story = await until(lambda: stack.story(asked["request_id"]), lambda s: s is not None and holds(s))
    assert story is not None
    return story


async def delivered(stack: Stack, asked: Json) -> Json:
    return await story_when(stack, asked, lambda story: "delivered" in steps(story))


async def waiting(stack: Stack, asked: Json, *, reason: str) -> Json:
    return await story_when(stack, asked, lambda s: s["state"] == "waiting" and s["reason"] == reason)


async def tell(stack: Stack, path: str, body: Json) -> datetime:
    """Tell ingest something of a person or a campaign; returns the instant before."""
    before = datetime.now(UTC)
    answer = await stack.post("ingest", path, body)
    assert answer.status_code == 202, answer.text
    return before


async def case(stack: Stack, phone: str, action: str) -> datetime:
    body = {"case_id": f"C-{phone[1:]}", "brand": "acme", "to": {"phone": phone}, "action": action}
    return await tell(stack, "/v1/cases", body)


async def until_reason(stack: Stack, asked: Json, reason: str) -> None:
    """Wait until the router would decide for this reason."""

    async def found() -> str:
        return str((await stack.preview([asked]))[0]["reason"])

    await until(found, lambda seen: seen == reason)


async def with_an_open_case(stack: Stack, *phones: str) -> None:
    """Let people opt in and open a case with each."""
    await stack.opt_in(phones)
    for phone in phones:
        await case(stack, phone, "opened")
        await until_reason(stack, patient(phone), "case_open")


async def accepted_at(stack: Stack, phone: str) -> list[datetime]:
    """Give the instants at which the platform accepted messages to this person."""
    mine = [e for e in await stack.ledger() if e["recipient"].lstrip("+") == phone[1:]]
    return [datetime.fromtimestamp(e["at_us"] / 1e6, UTC) for e in mine]


async def test_a_promo_over_the_cap_waits_and_is_sent_by_itself(stack: Stack) -> None:
    phone = "+393337000001"
    await stack.opt_in([phone])
    first, second = patient(phone), patient(phone)
    await stack.publish([first])
    await delivered(stack, first)
    await stack.publish([second])
    gone = await delivered(stack, second)
    assert steps(gone)[:5] == ["requested", "put_off", "allowed", "attempted", "accepted"]
    one, other = await accepted_at(stack, phone)
    assert other - one >= BURST
    decision = await stack.get("router", f"/v1/decisions/{second['request_id']}?client=shop")
    assert (decision["verdict"], decision["sequence"], decision["final"]) == ("allow", 2, True)


async def test_an_open_case_holds_a_promo_and_its_end_lets_it_go(stack: Stack) -> None:
    phone = "+393337000002"
    await with_an_open_case(stack, phone)
    asked = patient(phone)
    await stack.publish([asked])
    held = await waiting(stack, asked, reason="case_open")
    assert held["rule"] == "care-open"
    assert held["due_at"]
    care = request(phone, purpose="utility", content={"type": "template", "template": ORDER_UPDATE})
    await stack.publish([care])
    await delivered(stack, care)
    closed_at = await case(stack, phone, "closed")
    await delivered(stack, asked)
    _, promo_at = await accepted_at(stack, phone)
    assert promo_at - closed_at >= COOL_DOWN


ORDER_UPDATE = {
    "name": "order_update",
    "language": {"code": "it"},
    "components": [{"type": "body", "parameters": [{"type": "text", "text": "tomorrow"}]}],
}


async def test_stop_beats_a_promo_that_waits(stack: Stack) -> None:
    stopping, patient_one = "+393337000003", "+393337000004"
    await with_an_open_case(stack, stopping, patient_one)
    asked, other = patient(stopping), patient(patient_one)
    await stack.publish([asked, other])
    await waiting(stack, asked, reason="case_open")
    await waiting(stack, other, reason="case_open")
    wrote = await stack.post("simulator", f"/customers/{stopping}/messages", {"text": "STOP"})
    assert wrote.status_code == 202
    stopped = await story_when(stack, asked, lambda s: s["state"] == "held")
    assert stopped["final"]
    assert steps(stopped) == ["requested", "put_off", "held"]
    for phone in (stopping, patient_one):
        await case(stack, phone, "closed")
    await delivered(stack, other)
    promos = [e for e in await stack.ledger() if e["recipient"].lstrip("+") == stopping[1:] and e["template"]]
    assert promos == []


async def test_a_campaign_called_off_takes_back_what_waits_and_what_comes(stack: Stack) -> None:
    phone = "+393337000005"
    await with_an_open_case(stack, phone)
    asked = patient(phone, campaign="called-off")
    await stack.publish([asked])
    await waiting(stack, asked, reason="case_open")
    off = {"brand": "acme", "campaign": "called-off", "action": "cancelled"}
    await tell(stack, "/v1/campaigns", off)
    taken_back = await story_when(stack, asked, lambda s: s["state"] == "held")
    assert taken_back["reason"] == "campaign_cancelled"
    late = patient(phone, campaign="called-off")
    await stack.publish([late])
    refused = await story_when(stack, late, lambda s: s["state"] == "held")
    assert refused["reason"] == "campaign_cancelled"
    assert await accepted_at(stack, phone) == []


def zone_at(hour: int) -> str:
    """Name a zone where it is about this hour now."""
    ahead = (hour - datetime.now(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}"  # the database's own sign: Etc/GMT-2 is two hours ahead


async def test_quiet_hours_are_those_of_where_the_person_lives(stack: Stack) -> None:
    phone = "+393337000006"
    await stack.opt_in([phone])
    awake, asleep = zone_at(14), zone_at(2)
    nightly = patient(phone, tag="nightly")
    for zone, reason in ((asleep, "quiet"), (awake, "allowed"), (asleep, "quiet")):
        await tell(stack, "/v1/contacts", {"to": {"phone": phone}, "timezone": zone})
        await until_reason(stack, nightly, reason)
    await stack.publish([nightly])
    held = await waiting(stack, nightly, reason="quiet")
    due_at = datetime.fromisoformat(held["due_at"]).astimezone(zone_rules(asleep))
    assert (due_at.hour, due_at.minute, due_at.second) == (9, 0, 0)
    assert due_at - datetime.now(UTC) < timedelta(hours=12)


async def test_a_stop_in_whatsapp_itself_blocks_promos_until_it_is_lifted(stack: Stack) -> None:
    phone = "+393337000007"
    await stack.opt_in([phone])
    now = datetime.now(UTC)
    for value, at, reason in (
        ("stop", now - timedelta(seconds=5), "platform_stopped"),
        ("resume", now, "allowed"),  # of one second the stop would win
    ):
        assert await stack.webhook(preference(stack, phone, value, at)) == 200
        await until_reason(stack, patient(phone), reason)


def preference(stack: Stack, phone: str, value: str, at: datetime) -> bytes:
    """Write the webhook of somebody who switches promos off or on."""
    said = {"wa_id": phone[1:], "category": "marketing_messages", "value": value, "detail": "x"}
    told = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "390255550100", "phone_number_id": stack.number},
        "contacts": [{"wa_id": phone[1:]}],
        "user_preferences": [said | {"timestamp": int(at.timestamp())}],
    }
    change = {"field": "user_preferences", "value": told}
    entry = {"id": "102290129340398", "changes": [change]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})
