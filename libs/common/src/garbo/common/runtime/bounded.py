"""Steps that may neither hang nor break the steps after them."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import structlog

GRACE_S: Final = 1.0
"""What a cancelled step gets to end."""

log = structlog.get_logger()


async def bounded(step: str, work: Coroutine[Any, Any, object], *, within_s: float) -> bool:
    """Run one step of a shutdown; tell whether it ended well in time. Never raises, never hangs.

    In a task of its own, because aiokafka's `stop()` hangs when the broker is gone (aiokafka#1101) and
    can raise `CancelledError` out of an ordinary call, which would skip the rest of our shutdown.
    """
    task = asyncio.create_task(work, name=step)
    try:
        done, _ = await asyncio.wait({task}, timeout=within_s)
    finally:
        if not task.done():
            task.cancel()
    if not done:
        await asyncio.wait({task}, timeout=GRACE_S)
        log.warning("a step did not end in time", step=step, within_s=within_s, ended=task.done())
        return False
    if task.cancelled():
        log.warning("a step was cancelled from inside", step=step)
        return False
    if error := task.exception():
        log.warning("a step failed", step=step, error=type(error).__name__)
        return False
    return True
