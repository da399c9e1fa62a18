"""Asks Garbo to send: ingest's HTTP publish API, as any other service would use it.

Every element carries its own id, so that asking again after a broken connection asks for nothing new.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import httpx
import structlog

TIMEOUT_S: Final = 20.0
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 10.0
MAX_ELEMENTS: Final = 1000
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})

Json = dict[str, Any]
log = structlog.get_logger()


class Publisher:
    """Publishes until it is taken or refused; a service that is down is waited for."""

    def __init__(self, client: httpx.AsyncClient, *, ingest_url: str, api_key: str) -> None:
        self._client = client
        self._url = ingest_url.rstrip("/")
        self._headers = {"authorization": f"Bearer {api_key}"}

    async def publish(self, path: str, elements: Sequence[Json], *, key: str) -> bool:
        """Publish elements under an `Idempotency-Key`; False when ingest refuses them for good."""
        for start in range(0, len(elements), MAX_ELEMENTS):
            part = list(elements[start : start + MAX_ELEMENTS])
            headers = self._headers | {"idempotency-key": f"{key}-{start}"}
            answer = await self._until_answered("POST", self._url + path, json=part, headers=headers)
            if answer.is_error:
                log.warning("publishing was refused", path=path, status=answer.status_code)
                return False
        return True

    async def people(self, simulator_url: str) -> list[Json]:
        """Ask the simulator who the customers are; waits for it."""
        while True:
            url = f"{simulator_url.rstrip('/')}/customers"
            answer = await self._until_answered("GET", url, headers=self._headers)
            if not answer.is_error:
                people: list[Json] = answer.json()
                return people
            await asyncio.sleep(LONGEST_PAUSE_S)

    async def _until_answered(self, method: str, url: str, **request: Any) -> httpx.Response:  # noqa: ANN401
        """Try until somebody answers: pauses of 0.5, 1, 2, 4, 8, 10, 10 ... s."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                answer = await self._client.request(method, url, timeout=TIMEOUT_S, **request)
            except httpx.HTTPError:
                why = "no answer"
            else:
                if answer.status_code not in _AGAIN:
                    return answer
                why = str(answer.status_code)
            log.info("waiting for another service", why=why, pause_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
