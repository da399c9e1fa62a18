"""What a scheduler and a scraper ask of a process."""

from collections.abc import Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from garbo.common.runtime.http import JSONBytes

Check = Callable[[], bool]


def health_routes(*, alive: Mapping[str, Check], ready: Mapping[str, Check]) -> list[Route]:
    """Give `/livez`, `/readyz` and `/metrics`.

    `alive` looks only at this process (a broker that is down must not restart it); `ready` says whether
    it can do its work now. Both answer 200 or 503 with each check's name and state.
    """

    def answer(checks: Mapping[str, Check]) -> JSONBytes:
        states = {name: check() for name, check in checks.items()}
        return JSONBytes({"checks": states}, status_code=200 if all(states.values()) else 503)

    async def livez(_: Request) -> Response:
        return answer(alive)

    async def readyz(_: Request) -> Response:
        return answer(ready)

    async def metrics(_: Request) -> Response:
        return PlainTextResponse(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]
