"""Processes that are to die, forked from one that has imported the router: 50 ms each instead of a second."""

import asyncio
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

ENDS_S = 60.0
CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["services.router.tests.support.batch_program", "services.router.tests.support.dying_router"]
)


class Forked:
    """One function in a process of its own, which may send one thing before it ends or dies."""

    def __init__(self, target: Callable[..., None], *arguments: object) -> None:
        """Start it at once; the function gets the arguments and a connection to send by."""
        self._receiver, sender = CONTEXT.Pipe(duplex=False)
        self._process = CONTEXT.Process(target=target, args=(*arguments, sender))
        self._process.start()
        sender.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process.pid is not None
        return self._process.pid

    def kill(self) -> None:
        """Kill it as `kill -9` does; nothing when it has ended."""
        self._process.kill()

    async def sent(self) -> Any:  # noqa: ANN401 - whatever it sent
        """Wait for what it sends; None when it ends without."""
        return await asyncio.to_thread(self._received)

    async def exit_code(self) -> int:
        """Wait until it has ended; a signal that killed it is a negative code."""
        await asyncio.to_thread(self._process.join, ENDS_S)
        code = self._process.exitcode
        assert code is not None, f"it did not end within {ENDS_S:.0f} s"
        self._receiver.close()
        return code

    def _received(self) -> Any:  # noqa: ANN401 - as above
        try:
            return self._receiver.recv() if self._receiver.poll(ENDS_S) else None
        except EOFError:
            return None
