"""Whatever a signed body holds: never a 5xx, and what goes in comes out, as an event or a dead letter."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp

from garbo.common.business import Business
from garbo.common.errors import Reject
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.jsontext import parse_json
from garbo.common.events.statuses import MessageStatus
from garbo.common.events.template_registry import TemplateRegistry
from garbo.common.events.wire import encode
from garbo.ingest.app import flows_of, http_app
from garbo.ingest.inbound.freshness import Freshness
from garbo.ingest.outbound.business import BusinessPublishers
from garbo.ingest.settings import IngestSettings
from libs.common.tests.support.clock import FixedClock
from services.ingest.tests.support.event_log import MemoryEventLog
from services.ingest.tests.support.http import AnyJson, ask
from services.ingest.tests.support.webhooks import signed

OUTSIDE = Path(__file__).parents[5] / "shared" / "fixtures" / "webhooks"
ACCOUNT = "whatsapp_business_account"
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
NUMBERS = st.sampled_from(["1790000000", 1790000000, "1790000000123", 10**30, -1, "soon", "16505551234"])
NAMES = (
    "id from from_user_id timestamp type text body status recipient_id group_id contacts wa_id metadata "
    "phone_number_id errors code pricing context interactive"
)
KEYS = st.sampled_from(NAMES.split()) | st.text(max_size=5)
ANY = st.recursive(
    PLAIN | NUMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)
ITEM = ANY | st.fixed_dictionaries(
    {"id": st.text(min_size=1, max_size=9), "timestamp": NUMBERS},
    optional={
        "from": NUMBERS | ANY,
        "type": ANY,
        "text": ANY,
        "status": ANY,
        "interactive": ANY,
        "errors": ANY,
    },
)
VALUE = st.fixed_dictionaries(
    {"metadata": st.just({"phone_number_id": "100"}) | ANY},
    optional={
        "messages": st.lists(ITEM, max_size=4) | ANY,
        "statuses": st.lists(ITEM, max_size=4) | ANY,
        "contacts": ANY,
        "errors": ANY,
    },
)
PREFERENCES = st.fixed_dictionaries({"user_preferences": st.lists(ITEM, max_size=3) | ANY})
CHANGE = (
    st.fixed_dictionaries({"field": st.just("messages") | ANY, "value": VALUE | ANY})
    | st.fixed_dictionaries({"field": st.just("user_preferences"), "value": PREFERENCES})
    | ANY
)
ENTRY = st.fixed_dictionaries({"id": st.just("1") | ANY, "changes": st.lists(CHANGE, max_size=3) | ANY}) | ANY
BODY = st.fixed_dictionaries({"object": st.just(ACCOUNT), "entry": st.lists(ENTRY, max_size=3) | ANY}) | ANY


def count_parts(body: AnyJson) -> int:
    """Count what a body holds, by other means than the code under test."""
    if not isinstance(body, dict) or body.get("object") != ACCOUNT or not isinstance(body.get("entry"), list):
        return 1
    return sum(_count_entry(entry) for entry in body["entry"])


def _count_entry(entry: AnyJson) -> int:
    if not isinstance(entry, dict):
        return 1
    others = 1 if entry.keys() - {"id", "time", "changes"} else 0
    changes = entry.get("changes")
    if isinstance(changes, list):
        return others + sum(_count_change(change) for change in changes)
    return 1 if changes is None else others + 1


def _count_change(change: AnyJson) -> int:
    value = change.get("value") if isinstance(change, dict) else None
    if not isinstance(value, dict):
        return 1
    if change.get("field") in ("user_preferences", "user_id_update"):
        return len(_list(value.get(change["field"]))) or 1
    if change.get("field") != "messages":
        return 1
    lists = [value[name] for name in ("messages", "statuses") if value.get(name) is not None]
    listed = sum(len(one) if isinstance(one, list) else 1 for one in lists)
    about = {"messaging_product", "metadata", "contacts", "messages", "statuses"}
    return (listed + len(value.keys() - about)) or 1


def items_of(body: AnyJson) -> Iterator[bytes]:
    """Walk to each message and status of a body."""
    match body:
        case {"object": "whatsapp_business_account", "entry": list(entries)}:
            changes = [c for e in entries if isinstance(e, dict) for c in _list(e.get("changes"))]
            values = [c.get("value") for c in changes if isinstance(c, dict) and c.get("field") == "messages"]
            for value in values:
                for name in ("messages", "statuses"):
                    for item in _list(value.get(name) if isinstance(value, dict) else None):
                        yield orjson.dumps(item, option=orjson.OPT_SORT_KEYS)


def _list(value: AnyJson) -> list[Any]:
    return value if isinstance(value, list) else []


def items_out(log: MemoryEventLog) -> Iterator[bytes]:
    for found in log.found:
        if isinstance(found.event, InboundMessage | MessageStatus):
            yield orjson.dumps(found.event.raw, option=orjson.OPT_SORT_KEYS)
    for dead in log.dead:
        yield from items_of(orjson.loads(dead.body))


async def deliver(app: ASGIApp, body: bytes) -> int:
    answer = await ask(app, "POST /webhooks/whatsapp", body=body, headers=[signed(body, "new-secret")])
    assert answer is not None
    return answer.status


def check(app: ASGIApp, log: MemoryEventLog, body: bytes) -> None:
    log.entries.clear()
    assert asyncio.run(deliver(app, body)) == 200
    for found in log.found:
        assert encode(found.event)
    try:
        parsed = parse_json(body)
    except Reject:
        assert [dead.body for dead in log.dead] == [body]
        return
    assert len(log.entries) == count_parts(parsed)
    assert Counter(items_out(log)) == Counter(items_of(parsed))


@pytest.fixture
def app(
    ingest_settings: IngestSettings,
    ingest_business: Business,
    ingest_clock: FixedClock,
    event_log: MemoryEventLog,
) -> ASGIApp:
    generous = ingest_settings.model_copy(update={"body_timeout_s": 10})
    return http_app(
        generous,
        flows_of(
            generous,
            publishers=BusinessPublishers(ingest_business),
            log=event_log,
            templates=TemplateRegistry(),
            clock=ingest_clock,
        ),
        freshness=Freshness(ingest_business),
        health=(),
    )


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODY)
def test_whatever_a_signed_body_holds_nothing_is_lost(
    app: ASGIApp, event_log: MemoryEventLog, body: AnyJson
) -> None:
    check(app, event_log, orjson.dumps(_writable(body)))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200))
def test_bytes_that_are_no_json_are_kept(app: ASGIApp, event_log: MemoryEventLog, body: bytes) -> None:
    check(app, event_log, body)


def test_parsing_stays_the_same_after_what_came_before(app: ASGIApp, event_log: MemoryEventLog) -> None:
    """A lone surrogate sends the body through the tolerant parser, where numbers may be of any size."""
    head = b'{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"x","value":{"a":"'
    for figure in (b"9" * 40, b"1e999", b"9" * 5000):
        check(app, event_log, head + b'\\ud800","b":' + figure + b"}}]}]}")


@pytest.mark.skipif(
    not OUTSIDE.is_dir(),
    reason="other projects' webhook bodies are not beside this repository: ../shared/fixtures/webhooks",
)
def test_webhook_bodies_seen_in_other_projects_are_all_kept(app: ASGIApp, event_log: MemoryEventLog) -> None:
    bodies = sorted(OUTSIDE.glob("*.json"))
    assert bodies
    for path in bodies:
        check(app, event_log, path.read_bytes())


def test_payloads_beside_this_test_are_all_kept(app: ASGIApp, event_log: MemoryEventLog) -> None:
    for path in sorted((Path(__file__).parents[1] / "payloads").glob("*.json")):
        check(app, event_log, path.read_bytes())


def _writable(value: AnyJson) -> AnyJson:
    """Replace what JSON cannot say: figures beyond 64 bits, lone surrogates."""
    match value:
        case bool():
            return value
        case int():
            return value if -(2**63) <= value < 2**64 else float(value)
        case str():
            return value.encode("utf-8", "replace").decode()
        case list():
            return [_writable(item) for item in value]
        case dict():
            return {_writable(key): _writable(item) for key, item in value.items()}
        case _:
            return value
