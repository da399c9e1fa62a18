"""Where spans go in these tests."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from garbo.common.runtime.http import HttpServer
from tests.support.ports import free_ports


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
    bodies: list[bytes] = field(default_factory=list)
    """All that was told, as it came."""

    async def take(self, asked: Request) -> Response:
        body = await asked.body()
        if asked.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.bodies.append(body)
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


@asynccontextmanager
async def running_collector() -> AsyncIterator[Collector]:
    """Listen on a port of its own while the block runs."""
    (port,) = free_ports(1)
    taking = Collector(port)
    routes = [Route("/v1/traces", taking.take, methods=["POST"])]
    server = HttpServer(Starlette(routes=routes), host="127.0.0.1", port=port)
    await server.start()
    try:
        yield taking
    finally:
        await server.stop()
