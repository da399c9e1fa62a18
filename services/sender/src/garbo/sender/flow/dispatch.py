"""All numbers, the queue and the recorder: one part of the process's life."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

import structlog

from garbo.sender.flow.dispatcher import Dispatcher
from garbo.sender.flow.pauses import Pauses
from garbo.sender.flow.portfolios import Portfolios
from garbo.sender.flow.recorder import Recorder
from garbo.sender.flow.send_queue import SendQueue

FINISH_S: Final = 20.0
"""Of the process's stop budget (25 s a component). What is not answered by then is settled by its status."""

log = structlog.get_logger()


class Dispatch:
    """Sends what waits. Started before the consumers and so stopped after them."""

    def __init__(
        self,
        queue: SendQueue,
        recorder: Recorder,
        pauses: Pauses,
        portfolios: Portfolios,
        dispatcher_of: Callable[[str], Dispatcher],
    ) -> None:
        self._queue, self._recorder = queue, recorder
        self._pauses, self._portfolios = pauses, portfolios
        self._dispatcher_of = dispatcher_of
        self._dispatchers: dict[str, Dispatcher] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._started = self._closed = False
        self._ended = asyncio.Event()

    async def start(self) -> None:
        """Begin."""
        self._started = True
        self._keep("recorder", self._recorder.run())
        self._keep("queue", self._queue.run())
        self._keep("pauses", self._pauses.run())
        self._keep("portfolios", self._portfolios.run())
        for number, dispatcher in self._dispatchers.items():
            self._keep(f"number {number}", dispatcher.run())

    def serve(self, numbers: Iterable[str]) -> None:
        """Send from these numbers, too, from now on; none is left out again before the end."""
        for number in numbers:
            if number not in self._dispatchers and not self._closed:
                self._queue.serve(number)
                dispatcher = self._dispatchers[number] = self._dispatcher_of(number)
                if self._started:
                    self._keep(f"number {number}", dispatcher.run())

    def close(self) -> None:
        """Begin nothing new; what has not left is given back."""
        self._closed = True
        for dispatcher in self._dispatchers.values():
            dispatcher.close()

    async def stop(self) -> None:
        """Finish the calls that are under way, write and tell them, `FINISH_S` at most."""
        self.close()
        try:
            async with asyncio.timeout(FINISH_S):
                for dispatcher in self._dispatchers.values():
                    await dispatcher.finished()
                await self._recorder.drained()
        except TimeoutError:
            log.warning("calls are left without an answer")
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values())

    async def wait_failed(self) -> BaseException:
        """Return when a part has ended, which none does by itself."""
        await self._ended.wait()
        for task in self._tasks.values():
            if task.done() and not task.cancelled() and (error := task.exception()):
                return error
        return RuntimeError("dispatch: ended")

    def _keep(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        task.add_done_callback(lambda _: self._ended.set())
        self._tasks[name] = task


class Closing:
    """Started after the consumers and so stopped before them: says that nothing new begins."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch

    async def start(self) -> None:
        """Do nothing."""

    async def stop(self) -> None:
        """Say it."""
        self._dispatch.close()
