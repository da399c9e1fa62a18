"""How a process lives: one start order, one stop order, one exit code."""

import asyncio
import gc
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import structlog
import uvloop

from garbo.common.errors import StartRefused

START_BUDGET_S: Final = 60.0
"""One component may take this long to start."""
STOP_BUDGET_S: Final = 25.0
"""One component may take this long to stop; consumers finish what they hold within 20 s of it."""

COLLECT_EVERY: Final = 50_000
"""Look for garbage so often (new objects). Python's own 700 costs a busy process 4 to 19 % of its time,
10,000 up to 4 % (a batch of 500 is still in hand each time), this 0.5 %."""

log = structlog.get_logger()


class Component(Protocol):
    """A part of a process that is started once and stopped once."""

    async def start(self) -> None:
        """Become ready, or raise `StartRefused`."""
        ...

    async def stop(self) -> None:
        """Finish and release; safe to call after a failed start."""
        ...


@runtime_checkable
class Failing(Protocol):
    """A component that can fail long after it started."""

    async def wait_failed(self) -> BaseException:
        """Return only when the component can no longer do its work."""
        ...


@dataclass(frozen=True, slots=True)
class App:
    """A wired process: its name and its parts, in start order. Stopped in reverse."""

    service: str
    components: Sequence[Component]


def run(build: Callable[[], App]) -> int:
    """Run a process until a signal stops it or a part fails. Returns the exit code: 0 when stopped, else 1.

    A start that is refused prints its one line on stderr and returns 1. Whatever else ends a process, its
    last line says where.
    """
    gc.set_threshold(COLLECT_EVERY)
    try:
        return uvloop.run(_live(build()))
    except StartRefused as refused:
        print(f"garbo: {refused}", file=sys.stderr)  # noqa: T201 - the one line a person must see
    except Exception as error:  # noqa: BLE001 - Python's own last line would quote what the error quotes
        log.error("stopped after a failure", error=_name(error), where=where_raised(error))  # noqa: TRY400
    return 1


async def _live(app: App) -> int:
    stop_signal = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_signal.set)
    started: list[Component] = []
    try:
        for component in app.components:
            started.append(component)
            await _start(component)
        gc.freeze()  # what a process is made of is no garbage: look through the rest only
        log.info("started", service=app.service)
        failure = await _until_stopped_or_failed(stop_signal, started)
    finally:
        clean = await _stop_all(started)
    if failure:
        log.error(
            "stopped after a failure", service=app.service, error=_name(failure), where=where_raised(failure)
        )
        return 1
    log.info("stopped", service=app.service, clean=clean)
    return 0 if clean else 1


async def _start(component: Component) -> None:
    try:
        async with asyncio.timeout(START_BUDGET_S):
            await component.start()
    except TimeoutError:
        name = type(component).__name__
        raise StartRefused(f"{name} did not start within {START_BUDGET_S:.0f} s: is its server up?") from None


async def _until_stopped_or_failed(
    stop_signal: asyncio.Event, components: Sequence[Component]
) -> BaseException | None:
    waits = [asyncio.ensure_future(c.wait_failed()) for c in components if isinstance(c, Failing)]
    stop = asyncio.ensure_future(stop_signal.wait())
    try:
        done, _ = await asyncio.wait([stop, *waits], return_when=asyncio.FIRST_COMPLETED)
        failed = next((w for w in waits if w in done), None)
        return failed.result() if failed else None
    finally:
        for task in (stop, *waits):
            task.cancel()


async def _stop_all(components: Sequence[Component]) -> bool:
    """Stop in reverse order; one that hangs or raises does not keep the others from stopping."""
    clean = True
    for component in reversed(components):
        try:
            async with asyncio.timeout(STOP_BUDGET_S):
                await component.stop()
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - aiokafka raises CancelledError
            clean = False
            log.warning(
                "stop failed",
                component=type(component).__name__,
                error=_name(error),
                where=where_raised(error),
            )
    return clean


def _name(error: BaseException) -> str:
    """Name an error without its text when that could quote a record."""
    return f"{type(error).__module__}.{type(error).__qualname__}"


def where_raised(error: BaseException) -> str:
    """Say where in the code an error was raised, and what it came from; no text of errors, no values."""
    places = "".join(traceback.format_tb(error.__traceback__)[-6:])
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return places if cause is None else f"{where_raised(cause)}then, after {_name(cause)}:\n{places}"
