"""One trace leads from the request to the send, and the status that comes back points at it."""

import asyncio
from pathlib import Path

import pytest

from libs.common.tests.support.waiting import until
from tests.e2e.collector import Collector, Span
from tests.e2e.stack import Stack, local_stack, request

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


async def test_the_request_the_decision_and_the_send_are_one_trace(
    collector: Collector, tmp_path: Path, e2e_environ: dict[str, str]
) -> None:
    environ = e2e_environ | {"GARBO_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}"}
    running = local_stack(tmp_path / "data", environ)
    stack = await asyncio.to_thread(running.__enter__)
    try:
        await _walk(stack, collector)
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


async def _walk(stack: Stack, collector: Collector) -> None:
    await stack.opt_in(["+393337000001"])
    await stack.publish([request("+393337000001")])

    async def spans() -> list[Span]:
        return list(collector.spans)

    def send_of(spans: list[Span]) -> Span | None:
        return next((s for s in spans if s.service == "sender" and s.name == "POST whatsapp messages"), None)

    def whole(spans: list[Span]) -> bool:
        send = send_of(spans)
        if send is None:
            return False
        asked = [s for s in spans if s.trace == send.trace and s.service == "ingest"]
        told = [s for s in spans if send.id in s.links]
        return bool(asked) and bool(told)

    await until(spans, whole, within_s=40)
