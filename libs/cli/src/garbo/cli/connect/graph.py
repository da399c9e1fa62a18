"""The platform as a command asks it: one GET at a time, its refusals as values with their codes."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from garbo.common.errors import StartRefused
from garbo.common.runtime.live import reaches_people
from garbo.sender.outbound.whatsapp import proof_params

TIMEOUT_S: Final = 15.0
Json = dict[str, Any]


class GraphRefused(Exception):  # noqa: N818 - it says what happened
    """The platform refused: its code and words; code 0 where it gave none. No token is in it."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(f"code {code}: {said}" if code else said)
        self.code = code


@dataclass(slots=True)
class Graph:
    """The Graph API at one address and version, asked with one token.

    An app may demand that each call proves its secret (`appsecret_proof`): then, and only then, it is proved.
    Source: Meta, Graph API "Secure requests" (read 2026-11).
    """

    client: httpx.AsyncClient
    base: str
    token: str = field(repr=False)
    app_secret: str | None = field(default=None, repr=False)
    demands_proof: bool = False
    """Found out with the first call that is refused for it."""

    async def get(self, path: str, params: Mapping[str, str] | None = None, *, token: str = "") -> Json:
        """Ask for a node or an edge, with another token where one is given; raises `GraphRefused`."""
        return await self._call("GET", path, params or {}, token)

    async def post(self, path: str) -> Json:
        """Set something; raises `GraphRefused`."""
        return await self._call("POST", path, {}, "")

    async def _call(self, method: str, path: str, params: Mapping[str, str], token: str) -> Json:
        try:
            return await self._send(method, path, params, token or self.token)
        except GraphRefused as refused:
            if self.demands_proof or "appsecret_proof" not in str(refused):
                raise
            self.demands_proof = True
            return await self._send(method, path, params, token or self.token)

    async def _send(self, method: str, path: str, params: Mapping[str, str], token: str) -> Json:
        proof = proof_params(token, self.app_secret if self.demands_proof else None)
        headers = {"authorization": f"Bearer {token}"}
        try:
            answer = await self.client.request(
                method, f"{self.base}/{path}", params={**params, **proof}, headers=headers
            )
        except httpx.HTTPError as error:
            raise GraphRefused(0, f"{self.base} does not answer ({type(error).__name__})") from None
        return _read(answer)


@asynccontextmanager
async def graph_at(url: str, version: str, token: str) -> AsyncIterator[Graph]:
    """Open it; raises `StartRefused` where a token would be readable on its way."""
    if reaches_people(url) and not url.lower().startswith("https:"):
        raise StartRefused("GARBO_GRAPH_URL is not https: the token would be readable on its way")
    async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client:
        yield Graph(client, f"{url.rstrip('/')}/{version}", token)


def _first_sentence(said: str) -> str:
    """Shorten what the platform says: its first sentence, without the code it begins with."""
    return re.sub(r"^\(#[0-9]+\)\s*", "", said).partition(". ")[0][:120].rstrip(".")


def _read(answer: httpx.Response) -> Json:
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise GraphRefused(0, f"it answered {answer.status_code} and no JSON")
    error = body.get("error")
    if isinstance(error, dict):
        code, said = error.get("code"), _first_sentence(str(error.get("message", "")))
        raise GraphRefused(code if isinstance(code, int) else 0, said)
    if not answer.is_success:
        raise GraphRefused(0, f"it answered {answer.status_code}")
    return body
