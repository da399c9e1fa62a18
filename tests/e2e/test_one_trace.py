"""One trace leads from the request to the send, and the status that comes back points at it."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from garbo.common.runtime.http import HttpServer
from libs.common.tests.support.waiting import until
from tests.e2e.stack import Stack, local_stack, request
from tests.support.ports import free_ports

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Span:
    service: str
    name: str
    trace: str
    id: str
    parent: str
    links: frozenset[str]


@dataclass
class Collector:
    """Takes spans as an OpenTelemetry collector does: OTLP over HTTP."""

    port: int
    spans: list[Span] = field(default_factory=list)

    async def take(self, asked: Request) -> Response:
        body = await asked.body()
        if asked.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [
                    Span(
                        named["service.name"],
                        span.name,
                        span.trace_id.hex(),
                        span.span_id.hex(),
                        span.parent_span_id.hex(),
                        frozenset(link.span_id.hex() for link in span.links),
                    )
                    for span in scope.spans
                ]
        return Response(b"", media_type="application/x-protobuf")


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    (port,) = free_ports(1)
    taking = Collector(port)
    routes = [Route("/v1/traces", taking.take, methods=["POST"])]
    server = HttpServer(Starlette(routes=routes), host="127.0.0.1", port=port)
    await server.start()
    yield taking
    await server.stop()


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
