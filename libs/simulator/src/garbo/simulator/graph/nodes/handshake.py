"""The handshake before an address hears webhooks: it must answer with the challenge.

Source: Meta, webhooks "Endpoint": `hub.mode`, `hub.verify_token`, `hub.challenge` (read 2026-09).
"""

from secrets import randbelow
from typing import Final

import httpx
from httpx_aiohttp import HttpxAiohttpClient

from garbo.simulator.graph.errors import GraphError, Refusal

TIMEOUT_S: Final = 10.0
FAILED: Final = 2200


class Handshake:
    """Asks an address whether it wants the webhooks."""

    async def verify(self, address: str, token: str) -> None:
        """Ask once; raises `Refusal` (code 2200) for any other answer than 200 and the challenge."""
        if not address.startswith(("https://", "http://")):
            raise Refusal(_failed("The URL is not valid."))
        challenge = str(randbelow(2**31))
        query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge}
        try:
            async with HttpxAiohttpClient(timeout=TIMEOUT_S) as client:
                answer = await client.get(address, params=query)
        except httpx.HTTPError:
            raise Refusal(_failed("The URL couldn't be reached.")) from None
        if answer.status_code != httpx.codes.OK:
            raise Refusal(_failed(f"HTTP Status Code = {answer.status_code}"))
        if answer.text != challenge:
            raise Refusal(_failed("The answer is not the challenge."))


def _failed(why: str) -> GraphError:
    message = f"(#2200) Callback verification failed with the following errors: {why}"
    return GraphError(FAILED, 400, "Callback verification failed", why, None, message)
