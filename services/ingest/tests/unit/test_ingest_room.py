"""Who finds room at ingest: of strangers nothing is read, and a stalled body makes way for a quick one."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from starlette.types import ASGIApp, Message, Scope

from garbo.common.business import Business
from garbo.common.events.template_registry import TemplateRegistry
from garbo.common.runtime.health import health_routes
from garbo.ingest.app import flows_of, http_app
from garbo.ingest.inbound.freshness import Freshness
from garbo.ingest.outbound.business import BusinessPublishers
from garbo.ingest.settings import IngestSettings
from libs.common.tests.support.clock import FixedClock
from libs.common.tests.support.waiting import until
from services.ingest.tests.support.event_log import MemoryEventLog
from services.ingest.tests.support.http import DESK, SHOP, ask
from services.ingest.tests.support.http import post as submit
from services.ingest.tests.support.webhooks import signed

WEBHOOK: Final = "/webhooks/whatsapp"
GOOD: Final = (Path(__file__).parents[1] / "payloads" / "stop_keyword_text.json").read_bytes()
SIGNATURE: Final = signed(GOOD, "new-secret")
WRONG: Final = signed(GOOD, "another")
MEBIBYTE: Final = 1024 * 1024


class Request:
    """A request whose body comes as the test says."""

    def __init__(self, path: str, headers: Mapping[str, str], *, peer: str = "10.0.0.1") -> None:
        lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._scope: Scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": lines,
            "client": (peer, 1),
        }
        self._pieces: asyncio.Queue[Message] = asyncio.Queue()
        self.asked_count = 0
        """How often the application wanted more of the body."""
        self.statuses: list[int] = []

    def send(self, piece: bytes, *, last: bool = False) -> None:
        self._pieces.put_nowait({"type": "http.request", "body": piece, "more_body": not last})

    async def run(self, app: ASGIApp) -> None:
        await app(self._scope, self._receive, self._answer)

    async def _receive(self) -> Message:
        self.asked_count += 1
        return await self._pieces.get()

    async def _answer(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.statuses.append(message["status"])


@asynccontextmanager
async def running(app: ASGIApp, *requests: Request) -> AsyncIterator[None]:
    """Serve requests while the block lasts; all of them have begun to read."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(request.run(app)) for request in requests]
        await until(lambda: all(request.asked_count or request.statuses for request in requests))
        yield
        for task in tasks:
            task.cancel()


def webhook(header: tuple[str, str] | None = WRONG, *, peer: str = "10.0.0.1") -> Request:
    return Request(WEBHOOK, dict([header] if header else []), peer=peer)


def submission(key: str) -> Request:
    return Request("/v1/messages", {"Authorization": f"Bearer {key}"})


@pytest.fixture
def patient_app(
    ingest_settings: IngestSettings,
    ingest_business: Business,
    event_log: MemoryEventLog,
    ingest_clock: FixedClock,
) -> ASGIApp:
    """Ingest with room for four requests of each kind, two of them strangers', that waits for bodies."""
    settings = ingest_settings.model_copy(
        update={"body_timeout_s": 60.0, "max_in_flight": 4, "max_body_bytes": 32 * MEBIBYTE}
    )
    return http_app(
        settings,
        flows_of(
            settings,
            publishers=BusinessPublishers(ingest_business),
            log=event_log,
            templates=TemplateRegistry(),
            clock=ingest_clock,
        ),
        freshness=Freshness(ingest_business),
        health=health_routes(alive={}, ready={}),
    )


@pytest.mark.parametrize(
    "header",
    [
        None,
        ("X-Hub-Signature-256", ""),
        ("X-Hub-Signature-256", "sha256=" + "A" * 64),
        ("X-Hub-Signature-256", "sha256=" + "a" * 63),
        ("X-Hub-Signature-256", "sha1=" + "a" * 64),
        ("X-Hub-Signature", "sha256=" + "a" * 64),
    ],
    ids=["none", "empty", "upper case", "short", "sha1", "another header"],
)
async def test_without_a_signature_of_the_right_form_nothing_is_read(
    ingest_app: ASGIApp, header: tuple[str, str] | None
) -> None:
    request = webhook(header)
    await request.run(ingest_app)
    assert (request.statuses, request.asked_count) == ([401], 0)


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer unknown-key"}, {"Authorization": "Basic x"}]
)
@pytest.mark.parametrize("path", ["messages", "consents", "cases", "contacts", "campaigns"])
async def test_without_a_key_nothing_is_read(
    ingest_app: ASGIApp, path: str, headers: Mapping[str, str]
) -> None:
    request = Request(f"/v1/{path}", headers)
    await request.run(ingest_app)
    assert (request.statuses, request.asked_count) == ([401], 0)


async def test_a_body_that_does_not_come_is_given_up(ingest_app: ASGIApp) -> None:
    for request in (webhook(), submission(SHOP)):
        await request.run(ingest_app)
        assert request.statuses == [408]


@pytest.mark.parametrize("peer", ["10.0.0.1", "10.0.0.2"], ids=["same address", "another address"])
async def test_signed_webhook_finds_room_among_stalled_bodies(patient_app: ASGIApp, peer: str) -> None:
    stalled = [webhook(peer="10.0.0.1") for _ in range(2)]
    async with running(patient_app, *stalled):
        for _ in range(4):
            good = webhook(SIGNATURE, peer=peer)
            good.send(GOOD, last=True)
            await good.run(patient_app)
            assert good.statuses == [200]
        await until(lambda: [request.statuses for request in stalled] == [[408], []])


async def test_caller_with_the_most_bodies_makes_way_first(patient_app: ASGIApp) -> None:
    many, one = [webhook(peer="10.0.0.1") for _ in range(3)], webhook(peer="10.0.0.9")
    async with running(patient_app, one), running(patient_app, *many):
        await until(lambda: [request.statuses for request in many] == [[408], [408], []])
        assert one.statuses == []


async def test_signed_webhook_finds_room_among_held_back_bytes(patient_app: ASGIApp) -> None:
    hoards = [webhook(peer=f"10.0.0.{n}") for n in range(2)]
    async with running(patient_app, *hoards):
        for hoard in hoards:
            for _ in range(2):
                hoard.send(b" " * MEBIBYTE)
        await until(lambda: all(hoard.asked_count > 2 for hoard in hoards))
        good = webhook(SIGNATURE)
        good.send(GOOD, last=True)
        await good.run(patient_app)
        assert good.statuses == [200]


async def test_signed_webhooks_have_room_of_their_own(
    patient_app: ASGIApp, event_log: MemoryEventLog
) -> None:
    event_log.held = asyncio.Event()
    waiting = [webhook(SIGNATURE) for _ in range(4)]
    for request in waiting:
        request.send(GOOD, last=True)
    async with asyncio.TaskGroup() as group:
        for request in waiting:
            group.create_task(request.run(patient_app))
        await until(lambda: event_log.waiting_count == 4)
        refused = await ask(patient_app, f"POST {WEBHOOK}", body=GOOD, headers=[SIGNATURE])
        health = await ask(patient_app, "GET /livez")
        event_log.held.set()
    assert refused is not None
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert health is not None
    assert health.status == 200
    assert [request.statuses for request in waiting] == [[200]] * 4


async def test_slow_bodies_of_one_client_leave_room_for_another(patient_app: ASGIApp) -> None:
    stalled = [submission(SHOP) for _ in range(2)]
    async with running(patient_app, *stalled):
        own = await submit(patient_app, b"{}")
        assert (own.status, own.headers["retry-after"]) == (503, "1")
        assert (await submit(patient_app, b"{}", key=DESK)).status == 422
        good = webhook(SIGNATURE)
        good.send(GOOD, last=True)
        await good.run(patient_app)
        assert good.statuses == [200]


async def test_strangers_cause_one_log_line_of_a_kind(
    ingest_app: ASGIApp, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(50):
        await webhook(None).run(ingest_app)
        wrong = webhook(WRONG)
        wrong.send(GOOD, last=True)
        await wrong.run(ingest_app)
        await ask(ingest_app, f"GET {WEBHOOK}?hub.mode=subscribe")
        await ask(ingest_app, f"POST {WEBHOOK}", body=GOOD, headers=[WRONG, ("Content-Encoding", "gzip")])
        await ask(ingest_app, f"POST {WEBHOOK}", body=[b"", b""], headers=[WRONG])
        await Request("/v1/messages", {}).run(ingest_app)
    printed = capsys.readouterr()
    lines = [line for line in (printed.out + printed.err).splitlines() if line.strip()]
    assert len(lines) <= 5, "unsigned, handshake, encoded, gone, no key"
