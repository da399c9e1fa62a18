"""A person lives through every door, is erased, and is nowhere but where the command said."""

import asyncio
import os
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final

import httpx
import orjson
import pytest
import yaml
from aiokafka import AIOKafkaProducer

from garbo.cli.connection import dsn_of
from garbo.cli.up.environment import DEMO_KEYS
from garbo.common.events.ids import platform_message_ref
from garbo.common.events.topics import INBOUND_MEDIA, SEND_REQUESTED, dead_letters
from garbo.simulator.wamids import Wamids
from libs.common.tests.support.waiting import until
from tests.e2e.collector import Collector
from tests.e2e.search import forms_of, named_in, tables_naming, told_on, topics_naming
from tests.e2e.stack import Json, Stack, local_stack, request

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PHONE: Final = "393337770001"
SECOND: Final = "393337770077"
USER_ID: Final = "IT.77712345678901234567"
NAME: Final = "Canarina Gialletti"
TEXT: Final = "dov'e il mio pacco canarino"
BUTTON: Final = "canary-button-id"
CODE: Final = "canary-code-4711"
REPLY: Final = "canary-reply-88"
EVIDENCE: Final = "signed by Canarina at the till"
CASE: Final = "canary-case-7"
CAMPAIGN: Final = "canary-campaign"
PERSON: Final = (PHONE, SECOND, USER_ID, NAME, TEXT, BUTTON, CODE, REPLY, EVIDENCE)
"""What says who somebody is, what they wrote, and what was written to them."""
PICTURE: Final = b"\x89PNG\r\n\x1a\n" + b"a canary" * 100
MADE_FROM: Final = (CASE, CAMPAIGN)
"""What a client called its case and its campaign: a decision keeps what it was made from."""
SAID_OF_DECISIONS: Final = frozenset(
    {"router.decision", "router.send_grant", "analytics.fact", "analytics.engagement"}
)
SERVICES: Final = ("ingest", "router", "sender", "analytics")


@dataclass(frozen=True, slots=True)
class Lived:
    """The installation after a life, and what the command printed."""

    stack: Stack
    before: Mapping[str, set[str]]
    printed: str


@asynccontextmanager
async def living(data: Path, collector: Collector, environ: dict[str, str]) -> AsyncIterator[Stack]:
    environ = (
        environ
        | keeping_files(data.parent)
        | {
            "GARBO_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
            "GARBO_LOG_LEVEL": "debug",
        }
    )
    running = local_stack(data, environ)
    stack = await asyncio.to_thread(running.__enter__)
    try:
        yield stack
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


def keeping_files(folder: Path) -> dict[str, str]:
    """Let the brand keep what people send it, in a folder."""
    business = yaml.safe_load((Path(__file__).parent / "business.yaml").read_text(encoding="utf-8"))
    business["brands"][0]["media"] = {"keep_incoming": True}
    (folder / "business.yaml").write_text(yaml.safe_dump(business), encoding="utf-8")
    return {
        "GARBO_CONFIG": str(folder / "business.yaml"),
        "GARBO_MEDIA_STORE": f"file://{folder / 'media'}",
    }


def kept_files(folder: Path) -> list[bytes]:
    """Read what lies in the store."""
    return [path.read_bytes() for path in (folder / "media").rglob("*") if path.is_file()]


async def send_picture(stack: Stack, folder: Path) -> None:
    """Let the person send a picture, and wait until it is kept and told."""
    sent = {"kind": "image", "content": b64encode(PICTURE).decode(), "filename": f"{NAME}.png"}
    picture = {"text": TEXT, "attachment": sent}
    wrote = await stack.post("simulator", f"/customers/+{PHONE}/messages", picture)
    assert wrote.status_code == httpx.codes.ACCEPTED, wrote.text
    await until(lambda: kept_files(folder), lambda files: files == [PICTURE])
    told = await until(partial(told_on, stack.kafka, INBOUND_MEDIA), bool)
    assert [one.outcome for one in told] == ["stored"]
    assert told[0].message_ref == platform_message_ref(wrote.json()["wamid"])
    assert (folder / "media" / str(told[0].key)).read_bytes() == PICTURE


async def live(stack: Stack, folder: Path) -> None:
    """Go in by every door: consents, contacts, campaigns, cases, messages, webhooks of all kinds, lists."""
    now = datetime.now(UTC)
    to = {"phone": f"+{PHONE}"}
    earlier = (now - timedelta(hours=1)).isoformat()
    consent = {"brand": "acme", "to": to, "action": "given", "source": "form", "evidence": EVIDENCE}
    await taken(stack, "/v1/consents", consent | {"occurred_at": earlier})
    await stack.opt_in([f"+{PHONE}"])
    promo = request(f"+{PHONE}", campaign=CAMPAIGN, tags=["patient"], fallback=None)
    auth = request(f"+{PHONE}", purpose="utility", case_id=CASE, content=order_update(CODE))
    await stack.publish([{k: v for k, v in promo.items() if v is not None}, auth])
    for asked in (promo, auth):
        await until(partial(stack.story, asked["request_id"]), delivered)
    await stack.webhook(body(stack, [inbound("text", {"body": TEXT}), pressed(), image()]))
    await stack.webhook(body(stack, [], statuses=[foreign()]))
    wrote = await stack.post("simulator", f"/customers/+{PHONE}/messages", {"text": TEXT})
    assert wrote.status_code == httpx.codes.ACCEPTED
    text = {"type": "text", "text": {"body": REPLY}}
    reply = request(f"+{PHONE}", purpose="care", reply_to=wrote.json()["wamid"], content=text)
    await stack.publish([reply])
    await until(partial(stack.story, reply["request_id"]), delivered)
    await spoil(stack)
    await send_picture(stack, folder)
    case = {"case_id": CASE, "brand": "acme", "to": to, "action": "opened"}
    await taken(stack, "/v1/cases", case | {"occurred_at": now.isoformat()})
    same = {"to": to, "timezone": "Europe/Rome", "language": "it", "same_as": {"phone": f"+{SECOND}"}}
    await taken(stack, "/v1/contacts", same | {"occurred_at": now.isoformat()})
    waiting = request(f"+{PHONE}", campaign=CAMPAIGN, tags=["patient"], content=order_update(CODE))
    await stack.publish([waiting])
    await until(
        lambda: stack.story(waiting["request_id"]), lambda s: s is not None and s["verdict"] is not None
    )
    await stack.webhook(body(stack, [inbound("text", {"body": "STOP"})]))


async def spoil(stack: Stack) -> None:
    """Write a record about the person that is no request: each of its readers makes a dead letter of it."""
    before = await stack.dead_letters()
    producer = AIOKafkaProducer(**stack.kafka.connection())
    await producer.start()
    try:
        record = orjson.dumps({"to": {"phone": f"+{PHONE}"}, "content": TEXT})
        await producer.send_and_wait(SEND_REQUESTED.name, record, key=b"spoiled")
    finally:
        await producer.stop()
    await until(stack.dead_letters, lambda count: count >= before + len(("router", "analytics")))


async def taken(stack: Stack, path: str, submission: Json) -> None:
    answer = await stack.post("ingest", path, submission)
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text


def delivered(story: Json | None) -> bool:
    return story is not None and any(step["what"] in ("delivered", "read") for step in story["story"])


def order_update(code: str) -> Json:
    parameters = [{"type": "text", "text": code}]
    components = [{"type": "body", "parameters": parameters}]
    template = {"name": "order_update", "language": {"code": "it"}, "components": components}
    return {"type": "template", "template": template}


def wamid() -> str:
    """Mint a wamid as the platform does: it holds the number."""
    return Wamids().from_peer(PHONE)


def inbound(kind: str, content: Json) -> Json:
    at = str(int(datetime.now(UTC).timestamp()))
    return {
        "from": PHONE,
        "from_user_id": USER_ID,
        "id": wamid(),
        "timestamp": at,
        "type": kind,
        kind: content,
    }


def pressed() -> Json:
    reply = {"type": "button_reply", "button_reply": {"id": BUTTON, "title": NAME}}
    return inbound("interactive", reply) | {"context": {"from": "390255550100", "id": wamid()}}


def image() -> Json:
    return inbound("image", {"id": "77", "mime_type": "image/jpeg", "sha256": "x", "caption": TEXT})


def foreign() -> Json:
    at = str(int(datetime.now(UTC).timestamp()))
    return {"id": wamid(), "status": "sent", "timestamp": at, "recipient_id": PHONE}


def body(stack: Stack, messages: list[Json], *, statuses: list[Json] | None = None) -> bytes:
    contact = {"profile": {"name": NAME}, "wa_id": PHONE, "user_id": USER_ID}
    value: Json = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "390255550100", "phone_number_id": stack.number},
        "contacts": [contact],
    }
    value |= {"messages": messages} if messages else {"statuses": statuses}
    entry = {"id": "102290129340398", "changes": [{"field": "messages", "value": value}]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})


async def erase(stack: Stack) -> str:
    """Erase as an operator does; give what the command printed."""
    environ = dict(stack.environ) | {"GARBO_API_KEY": DEMO_KEYS["ops"]}
    command = (sys.executable, "-m", "garbo.cli", "contact", "erase", f"+{PHONE}", "--yes")
    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ | environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


def said(name: str, printed: str) -> bool:
    """Say whether the command named this table or topic."""
    return any(name in line.replace(",", " ").split() for line in printed.splitlines())


async def test_who_was_erased_is_nowhere_but_where_the_command_said(
    collector: Collector, tmp_path: Path, e2e_environ: dict[str, str]
) -> None:
    everything = (*PERSON, *MADE_FROM)
    async with living(tmp_path / "data", collector, e2e_environ) as stack:
        dsn = dsn_of(stack.environ)
        await live(stack, tmp_path)
        await until(lambda: tables_naming(dsn, [NAME, TEXT, USER_ID]), lambda found: "router.alias" in found)
        before = await tables_naming(dsn, everything)
        contact_id = await found(stack)
        printed = await erase(stack)
        gone = [contact_id]

        async def still() -> set[str]:
            named = await tables_naming(dsn, gone)
            return {table for table in named if table.startswith(("sender.", "analytics."))}

        await until(still, lambda left: left <= {"sender.erased", "analytics.erased"})
        await until(lambda: kept_files(tmp_path), lambda files: files == [])
        after = await tables_naming(dsn, PERSON)
        decided = await tables_naming(dsn, MADE_FROM)
        known = await tables_naming(dsn, gone)
        topics = await topics_naming(stack.kafka, everything)
        async with httpx.AsyncClient() as client:
            pages = [(await client.get(f"{url}/metrics")).content for url in stack.urls.values()]
        log = (tmp_path / "data.log").read_bytes()

    seen = set(chain.from_iterable(before.values()))
    assert {PHONE, USER_ID, EVIDENCE, CASE, CAMPAIGN} <= seen, "else this looked at the wrong person"
    assert {PHONE, NAME, TEXT, BUTTON, CODE} <= set(chain.from_iterable(topics.values()))
    assert {SECOND, REPLY} <= set(chain.from_iterable(topics.values()))
    assert {dead_letters(service).name for service in ("router", "analytics")} <= topics.keys()
    assert after == {}
    assert [table for table in decided if not said(table, printed)] == []
    assert set(decided) <= SAID_OF_DECISIONS
    assert [table for table in known if not said(table, printed)] == []
    assert [topic for topic in topics if not said(topic, printed)] == []
    ours = b"\n".join(line for line in log.splitlines() if line.decode().split(" ")[0] in SERVICES)
    assert ours.count(b"\n") > 20
    assert named_in(ours, everything) == set()
    assert named_in(b"\n".join(pages), everything) == set()
    assert len(collector.spans) > 5
    assert named_in(b"\n".join(collector.bodies), everything) == set()


async def found(stack: Stack) -> str:
    async with stack.http() as client:
        headers = {"Authorization": f"Bearer {DEMO_KEYS['ops']}"}
        url = f"{stack.urls['router']}/v1/contacts:find"
        answer = await client.post(url, json={"phone": f"+{PHONE}"}, headers=headers)
    answer.raise_for_status()
    return str(answer.json()["contact_id"])


@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("after", range(3))
def test_the_search_reads_base64_wherever_the_number_begins(before: int, after: int) -> None:
    hidden = b64encode(b"x" * before + PHONE.encode() + b"y" * after)
    assert named_in(hidden, PERSON) == {PHONE}
    assert named_in(hidden.hex().encode(), PERSON) == {PHONE}
    assert PHONE.encode() in forms_of(PHONE)
