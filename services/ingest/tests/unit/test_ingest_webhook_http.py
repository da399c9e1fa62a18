"""`/webhooks/whatsapp` over ASGI: the handshake, and each way a body can be wrong."""

import logging
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from starlette.types import ASGIApp

from garbo.common.events.inbound import InboundMessage
from services.ingest.tests.support.event_log import MemoryEventLog
from services.ingest.tests.support.http import Answer, AnyJson, ask
from services.ingest.tests.support.webhooks import signed

PATH = "/webhooks/whatsapp"
POST = f"POST {PATH}"
SECRET = "new-secret"
GOOD = (Path(__file__).parents[1] / "payloads" / "stop_keyword_text.json").read_bytes()


async def post(app: ASGIApp, body: bytes, *, secret: str = SECRET) -> Answer:
    answer = await ask(app, POST, body=body, headers=[signed(body, secret)])
    assert answer is not None
    return answer


def with_text(text: bytes) -> bytes:
    return GOOD.replace(b'"STOP"', b'"' + text + b'"')


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify-token", 200),
        ("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify-tokem", 403),
        ("hub.mode=subscribe&hub.challenge=1158201444", 403),
        ("hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=verify-token", 403),
        ("hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token=verify-token", 403),
        ("hub.mode=subscribe&hub.challenge=1&hub.challenge=2&hub.verify_token=verify-token", 403),
        (f"hub.mode=subscribe&hub.challenge={'1' * 129}&hub.verify_token=verify-token", 403),
        ("hub.mode=subscribe&hub.challenge=1&hub.verify_token=%C3%A9%00", 403),
        ("", 403),
    ],
)
async def test_the_handshake_echoes_the_challenge_only_to_who_knows_the_token(
    ingest_app: ASGIApp, query: str, status: int
) -> None:
    answer = await ask(ingest_app, f"GET {PATH}?{query}")
    assert answer is not None
    assert answer.status == status
    assert answer.body == (b"1158201444" if status == 200 else b"")
    if status == 200:
        assert answer.headers["content-type"].startswith("text/plain")


async def test_a_signed_webhook_is_kept_then_answered(ingest_app: ASGIApp, event_log: MemoryEventLog) -> None:
    answer = await post(ingest_app, GOOD)
    assert answer == Answer(200, answer.headers, b"")
    assert [type(found.event) for found in event_log.found] == [InboundMessage]


async def test_the_previous_app_secret_still_signs(ingest_app: ASGIApp, event_log: MemoryEventLog) -> None:
    assert (await post(ingest_app, GOOD, secret="old-secret")).status == 200
    assert event_log.found


GENUINE = signed(GOOD, SECRET)[1]


@pytest.mark.parametrize(
    "values",
    [
        [],
        [signed(GOOD, "another")[1]],
        [GENUINE, GENUINE],
        [GENUINE.upper()],
        [GENUINE.removeprefix("sha256=")],
        [GENUINE.replace("sha256", "sha1")],
        [GENUINE + "0"],
        [GENUINE[:-2]],
        [signed(GOOD + b" ", SECRET)[1]],
        ["é" * 71],
    ],
    ids=["none", "wrong", "twice", "upper case", "bare", "sha1", "long", "short", "other body", "not ASCII"],
)
async def test_an_unsigned_webhook_is_refused_without_a_word(
    ingest_app: ASGIApp, event_log: MemoryEventLog, values: Sequence[str]
) -> None:
    answer = await ask(ingest_app, POST, body=GOOD, headers=[("X-Hub-Signature-256", v) for v in values])
    assert answer is not None
    assert (answer.status, answer.body) == (401, b"")
    assert event_log.entries == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"not json", "not_json"),
        (b"", "not_json"),
        (b"{}", "invalid:object"),
        (b"\xff\xfe", "not_json"),
        (b"[" * 100_000, "too_deep"),
        (GOOD.replace(b'"STOP"', b'{"a":' * 70 + b"1" + b"}" * 70), "too_deep"),
        (b'{"a": 1e400}', "not_json"),
        (b'{"a": NaN}', "not_json"),
        (GOOD[:-3], "not_json"),
    ],
    ids=["text", "empty", "no webhook", "not utf-8", "100k deep", "70 deep", "1e400", "NaN", "cut"],
)
async def test_a_signed_body_that_cannot_be_read_is_kept_whole_and_answered_200(
    ingest_app: ASGIApp, event_log: MemoryEventLog, body: bytes, reason: str
) -> None:
    assert (await post(ingest_app, body)).status == 200
    assert [(dead.body, dead.reason) for dead in event_log.entries if not hasattr(dead, "event")] == [
        (body, reason)
    ]


@pytest.mark.parametrize("odd", [rb"\u0000", rb"\ud800", rb"\udfff\u0000", rb"\ud83d"])
async def test_a_text_that_no_database_could_hold_lands_cleaned(
    ingest_app: ASGIApp, event_log: MemoryEventLog, odd: bytes
) -> None:
    assert (await post(ingest_app, with_text(b"a" + odd + b"b"))).status == 200
    (found,) = event_log.found
    assert isinstance(found.event, InboundMessage)
    text = found.event.text or ""
    assert text.replace("\ufffd", "") == "ab"
    assert "\ufffd" in text


async def test_a_broken_part_is_dead_lettered_beside_its_neighbours(
    ingest_app: ASGIApp, event_log: MemoryEventLog
) -> None:
    body: AnyJson = orjson.loads(GOOD)
    messages = body["entry"][0]["changes"][0]["value"]["messages"]
    messages.append(messages[0] | {"id": "w2", "timestamp": "soon"})
    messages.append(messages[0] | {"id": "w3"})
    assert (await post(ingest_app, orjson.dumps(body))).status == 200
    assert len(event_log.found) == 2
    (dead,) = event_log.dead
    assert dead.reason == "invalid:timestamp"
    assert orjson.loads(dead.body)["entry"][0]["changes"][0]["value"]["messages"] == [messages[1]]


async def test_a_webhook_is_not_acknowledged_while_kafka_is_down(
    ingest_app: ASGIApp, event_log: MemoryEventLog
) -> None:
    event_log.down = True
    answer = await post(ingest_app, GOOD)
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("pieces", [3, 200], ids=["a little too large", "endless"])
async def test_a_body_over_the_limit_is_refused(
    ingest_app: ASGIApp, event_log: MemoryEventLog, pieces: int
) -> None:
    answer = await ask(ingest_app, POST, body=[b" " * (1200 * 1024)] * pieces, headers=[signed(b"", SECRET)])
    assert (answer.status if answer else None) == (413 if pieces > 10 else None)
    whole = await ask(ingest_app, POST, body=b" " * (3200 * 1024), headers=[signed(b"", SECRET)])
    assert whole is not None
    assert whole.status == 413
    assert event_log.entries == []


async def test_a_compressed_body_is_refused(ingest_app: ASGIApp) -> None:
    answer = await ask(
        ingest_app, POST, body=GOOD, headers=[signed(GOOD, SECRET), ("Content-Encoding", "gzip")]
    )
    assert answer is not None
    assert answer.status == 415


async def test_another_method_is_told_which_ones_there_are(ingest_app: ASGIApp) -> None:
    answer = await ask(ingest_app, f"DELETE {PATH}")
    assert answer is not None
    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")


async def test_logs_hold_no_number_name_or_text(
    ingest_app: ASGIApp, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        await post(ingest_app, GOOD)
        await post(ingest_app, GOOD.replace(b'"timestamp"', b'"time"'))
        await ask(ingest_app, POST, body=GOOD)
    printed = capsys.readouterr()
    said = caplog.text + printed.out + printed.err
    assert "webhook kept" in said
    for secret in ("16505551234", "STOP", SECRET, "Sheena", "Pablo"):
        assert secret not in said


async def test_metrics_name_the_key_that_signed_and_what_came(ingest_app: ASGIApp) -> None:
    await post(ingest_app, GOOD, secret="old-secret")
    answer = await ask(ingest_app, "GET /metrics")
    assert answer is not None
    text = answer.body.decode()
    assert 'garbo_ingest_signature_key_total{place="1"}' in text
    assert 'garbo_ingest_parts_total{kind="InboundMessage"}' in text
    assert 'garbo_ingest_webhooks_total{result="kept"}' in text


async def test_a_part_too_large_to_be_kept_takes_no_neighbour_with_it(
    ingest_app: ASGIApp, event_log: MemoryEventLog
) -> None:
    event_log.largest_bytes = 5_000
    body = orjson.loads(GOOD)
    value = body["entry"][0]["changes"][0]["value"]
    value["messages"] = [value["messages"][0], value["messages"][0] | {"order": "x" * 5_000}]
    answer = await post(ingest_app, orjson.dumps(body))
    assert answer.status == 200
    assert [type(found.event) for found in event_log.found] == [InboundMessage]
    assert [(dead.body, dead.reason) for dead in event_log.dead] == [(orjson.dumps(body), "record_too_large")]
