"""A number on the simulated platform, an ingest of ours as its callback, and what connect prints of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from garbo.cli.connect.checks import checks_of
from garbo.cli.connect.finding import Found
from garbo.cli.connect.graph import graph_at
from garbo.cli.connect.screen import show
from garbo.cli.connect.subject import Subject
from garbo.common.business import Business
from garbo.common.events.template_registry import TemplateRegistry
from garbo.common.runtime.http import HttpServer
from garbo.ingest.app import flows_of, http_app
from garbo.ingest.inbound.freshness import Freshness
from garbo.ingest.outbound.business import BusinessPublishers
from garbo.ingest.settings import IngestSettings
from libs.common.tests.support.clock import FixedClock
from libs.simulator.tests.support.world import NUMBER, SECRET, Running, free_port, running_world
from services.ingest.tests.support.event_log import MemoryEventLog

VERIFY: Final = "token-of-the-handshake"
NOBODY: Final = Business(brands=(), numbers=(), clients=())


@dataclass(frozen=True, slots=True)
class Printed:
    """What connect found, and the lines it printed."""

    found: list[Found]
    lines: list[str]

    def of(self, name: str) -> tuple[str, str, str]:
        """Give a check's printed mark, line and mend."""
        at = next(i for i, line in enumerate(self.lines) if line[2:].startswith(f"{name:<10}"))
        below = self.lines[at + 1] if at + 1 < len(self.lines) else ""
        mend = below.partition("→ ")[2]
        return self.lines[at][0], self.lines[at][2:].removeprefix(name).strip(), mend


@dataclass(frozen=True, slots=True)
class Platform:
    """The platform and the callback, both running."""

    running: Running
    callback: str
    unchecked: str
    """An address that takes whatever is posted to it."""
    log: MemoryEventLog

    async def turn(self, what: str, **patch: Any) -> None:  # noqa: ANN401 - any field of an asset
        """Change an asset at the platform, such as `numbers/1001`."""
        answer = await self.running.client.patch(f"/control/{what}", json=patch)
        if not answer.is_success:
            raise AssertionError(f"{what}: {answer.status_code} {answer.text[:300]}")

    async def looked(self, *, subscribe: bool = False, **told: Any) -> Printed:  # noqa: ANN401 - any field
        """Check the number, told otherwise in some ways, and print it."""
        url, token = told.pop("url", self.running.url), told.pop("token", NUMBER.token)
        async with graph_at(url, "v25.0", token) as graph:
            plain = {"number": NUMBER.id, "app_secret": SECRET, "verify_token": VERIFY}
            subject = Subject(graph=graph, token_shown="token.txt", **{**plain, **told})
            graph.app_secret = subject.app_secret
            found = list(await checks_of(subject, subscribe=subscribe))
        text = StringIO()
        show(found, title="number", console=Console(file=text, width=400))
        return Printed(found, text.getvalue().splitlines())


@asynccontextmanager
async def running_platform(folder: Path, *, app_secret: str = SECRET) -> AsyncIterator[Platform]:
    """Run the simulator, and an ingest that knows this app secret as its callback."""
    port, log = free_port(), MemoryEventLog()
    settings = IngestSettings.model_validate(
        {
            "config": folder / "business.yaml",
            "whatsapp_app_secrets": app_secret,
            "whatsapp_verify_token": VERIFY,
            "hash_key": "hash-key-of-the-tests",
        }
    )
    app = http_app(
        settings,
        flows_of(
            settings,
            publishers=BusinessPublishers(NOBODY),
            log=log,
            templates=TemplateRegistry(),
            clock=FixedClock(),
        ),
        freshness=Freshness(NOBODY),
        health=(),
    )
    server = HttpServer(app, host="127.0.0.1", port=port)
    await server.start()
    try:
        async with running_world(folder) as running:
            unchecked = running.world.accounts.app_facts.callback_url
            callback = f"http://127.0.0.1:{port}/webhooks/whatsapp"
            platform = Platform(running, callback, unchecked, log)
            await platform.turn("app", callback_url=platform.callback)
            await platform.turn(f"accounts/{NUMBER.waba}", marketing_messages_onboarding_status="ONBOARDED")
            yield platform
    finally:
        await server.stop()
