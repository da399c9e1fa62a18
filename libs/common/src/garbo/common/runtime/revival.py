"""Starts again what aiokafka runs in a consumer's background, and lets end for good after one surprise."""

import asyncio
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer

log = structlog.get_logger()


def revive(consumer: AIOKafkaConsumer) -> None:
    """Start a background task of a consumer again that has ended, and raise what ended it.

    There are two: one keeps the consumer in its group, one fetches. Whatever aiokafka did not expect ends
    them, after that the consumer would never consume again, and only a new process would help.
    """
    untyped: Any = consumer
    coordinator, fetcher = untyped._coordinator, untyped._fetcher  # noqa: SLF001 - there is no public sign of them
    if (task := getattr(coordinator, "_coordination_task", None)) and _is_dead(task):
        coordinator._coordination_task = _again(coordinator._coordination_routine(), task)  # noqa: SLF001 - as above
        raise task.exception()
    if fetcher is not None and _is_dead(fetcher._fetch_task):  # noqa: SLF001 - as above
        task = fetcher._fetch_task  # noqa: SLF001 - as above
        for pending in fetcher._pending_tasks:  # noqa: SLF001 - as above
            pending.cancel()
        fetcher._pending_tasks.clear()  # noqa: SLF001 - one of them holds what ended it
        fetcher._fetch_task = _again(fetcher._fetch_requests_routine(), task)  # noqa: SLF001 - as above
        raise task.exception()


def _is_dead(task: "asyncio.Task[None]") -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None


def _again(routine: Any, ended: "asyncio.Task[None]") -> "asyncio.Task[None]":  # noqa: ANN401 - a coroutine of aiokafka's
    log.warning("consumer task started again", error=type(ended.exception()).__name__)
    return asyncio.create_task(routine)
