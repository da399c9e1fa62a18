"""The supervisor's control: one JSON line in, lines out, on a loopback port, for who knows the token."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass

from garbo.cli.local.ports import LOOPBACK
from garbo.cli.up.runfile import Run, RunFile
from garbo.common.errors import StartRefused

ANSWER_S = 90.0
ASK_S = 5.0


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """What somebody wants of the running supervisor."""

    command: str
    """restart, halt (both with a name) or stop (all)"""
    name: str = ""


AnswerControl = Callable[[ControlRequest], AsyncIterator[str]]


class ControlServer:
    """Listens until closed."""

    def __init__(self, answer: AnswerControl) -> None:
        self._answer = answer
        self._token = secrets.token_hex(16)
        self._server: asyncio.Server | None = None

    async def open(self) -> tuple[int, str]:
        """Listen; returns port and token."""
        self._server = await asyncio.start_server(self._talk, LOOPBACK, 0)
        return int(self._server.sockets[0].getsockname()[1]), self._token

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, ValueError, KeyError):
            async with asyncio.timeout(ASK_S):
                asked = json.loads(await reader.readline())
            if secrets.compare_digest(str(asked["token"]), self._token):
                async for line in self._answer(ControlRequest(asked["command"], asked["name"])):
                    writer.write(f"{line}\n".encode())
                    await writer.drain()
        writer.close()


async def control_lines(runfile: RunFile, request: ControlRequest) -> AsyncIterator[str]:
    """Ask the running supervisor and give its lines as they come; raises StartRefused when none runs."""
    run = runfile.read() if runfile.running() else None
    if run is None or not run.control_port:
        raise StartRefused("Garbo does not run here: type make run")
    reader, writer = await _connect(run)
    try:
        writer.write(
            json.dumps({"token": run.token, "command": request.command, "name": request.name}).encode()
            + b"\n"
        )
        async with asyncio.timeout(ANSWER_S):
            while line := await reader.readline():
                yield line.decode().rstrip()
    except TimeoutError:
        raise StartRefused(
            f"the supervisor did not answer within {ANSWER_S:.0f} s: look at its lines"
        ) from None
    finally:
        writer.close()


async def _connect(run: Run) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        async with asyncio.timeout(ASK_S):
            return await asyncio.open_connection(LOOPBACK, run.control_port)
    except (OSError, TimeoutError):
        raise StartRefused(
            f"the supervisor (process {run.pid}) does not answer: type kill {run.pid}"
        ) from None
