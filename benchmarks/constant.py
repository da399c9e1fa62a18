"""The bare HTTP server: reads the body, answers 200. `python -m benchmarks.constant PORT`."""

import sys

from starlette.types import Receive, Scope, Send

from garbo.common.runtime.http import HttpServer
from garbo.common.runtime.lifecycle import App, run

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
BODY = {"type": "http.response.body", "body": b"ok"}


async def constant(_: Scope, receive: Receive, send: Send) -> None:
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    await send(START)
    await send(BODY)


if __name__ == "__main__":
    port = int(sys.argv[1])
    sys.exit(run(lambda: App("constant", [HttpServer(constant, host="127.0.0.1", port=port)])))
