"""What a scheduler and a scraper ask of a process."""

from collections.abc import Callable, Mapping
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from garbo.common.runtime.http import JSONBytes
from garbo.common.runtime.operations import Answer, endpoints_of, operation, routes_of

Check = Callable[[], bool]


class Checks(BaseModel):
    """What was looked at, and whether it is well."""

    checks: dict[str, bool]


STATES: Final = {200: Answer(Checks, "All is well."), 503: Answer(Checks, "Something is not.")}


class Health:
    """`alive` looks only at this process: a broker that is down must not restart it."""

    def __init__(self, *, alive: Mapping[str, Check], ready: Mapping[str, Check]) -> None:
        self._alive, self._ready = alive, ready

    @operation("GET", "/livez", answers=STATES)
    async def show_alive(self, _: Request) -> Response:
        """Tell whether the process lives; if not, start it again."""
        return _states(self._alive)

    @operation("GET", "/readyz", answers=STATES)
    async def show_ready(self, _: Request) -> Response:
        """Tell whether it can do its work now."""
        return _states(self._ready)

    @operation("GET", "/metrics", answers={200: Answer(str, "In Prometheus' text format.", "text/plain")})
    async def show_metrics(self, _: Request) -> Response:
        """Give what it counts."""
        return PlainTextResponse(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def health_routes(*, alive: Mapping[str, Check], ready: Mapping[str, Check]) -> list[Route]:
    """Give `/livez`, `/readyz` and `/metrics`; the first two answer 200 or 503 with each check's state."""
    return routes_of(endpoints_of(Health(alive=alive, ready=ready)))


def _states(checks: Mapping[str, Check]) -> JSONBytes:
    states = {name: check() for name, check in checks.items()}
    return JSONBytes({"checks": states}, status_code=200 if all(states.values()) else 503)
