"""A service's HTTP API asked by hand, and its refusals as lines a person can act on."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import httpx

from garbo.cli.connection import url_of
from garbo.cli.up.environment import DEMO_KEYS
from garbo.common.errors import StartRefused

TIMEOUT_S = 60.0
FILE_S = 600.0
LINE_S = 120.0
"""A simulation says something at least this often."""


@dataclass(frozen=True, slots=True)
class ServiceApi:
    """One service and one key."""

    url: str
    key: str
    service: str = "router"

    def ask(self, method: str, path: str, body: Any = None) -> Any:  # noqa: ANN401 - JSON
        """Ask and give the JSON answered; None for an empty answer. Raises StartRefused in its words."""
        with self._refusals():
            answer = httpx.request(
                method, self.url + path, json=body, headers=self._headers, timeout=TIMEOUT_S, trust_env=False
            )
            self._refuse(answer)
        return answer.json() if answer.content else None

    def give(self, path: str, content: BinaryIO, *, mime_type: str) -> Any:  # noqa: ANN401 - JSON
        """Give a file's bytes, and read the JSON answered. Raises StartRefused in its words."""
        headers = self._headers | {"Content-Type": mime_type}
        with self._refusals():
            answer = httpx.request(
                "POST", self.url + path, content=content, headers=headers, timeout=FILE_S, trust_env=False
            )
            self._refuse(answer)
        return answer.json()

    def lines(self, path: str, body: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON
        """Ask for an answer that comes line by line."""
        timeout = httpx.Timeout(LINE_S, connect=10.0)
        with (
            self._refusals(),
            httpx.Client(timeout=timeout, trust_env=False) as client,
            client.stream("POST", self.url + path, json=body, headers=self._headers) as answer,
        ):
            if not answer.is_success:
                answer.read()
            self._refuse(answer)
            for line in answer.iter_lines():
                yield json.loads(line)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            why = type(error).__name__
            raise StartRefused(
                f"the {self.service} at {self.url} does not answer ({why}): type make run, or set "
                f"GARBO_URL_{self.service.upper()}"
            ) from None

    def _refuse(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        try:
            problem = answer.json()
        except ValueError:
            problem = {}
        said = [str(fault) for fault in problem.get("errors", ())] or [
            str(problem.get("detail", "no reason given"))
        ]
        title = problem.get("title", answer.reason_phrase)
        field = f" ({problem['field']})" if "field" in problem else ""
        raise StartRefused(f"the {self.service} refused: {title}{field}: " + "\n       ".join(said))


def router_of(env: Mapping[str, str], *, key: str | None) -> ServiceApi:
    """Find the router (GARBO_URL_ROUTER, else this clone's) and a key: --key, GARBO_API_KEY, the demo's."""
    url = env.get("GARBO_ROUTER_URL") or url_of(env, "router")
    return ServiceApi(url.rstrip("/"), key or env.get("GARBO_API_KEY") or DEMO_KEYS["ops"])


def sender_of(env: Mapping[str, str], *, key: str | None) -> ServiceApi:
    """Find the sender (GARBO_URL_SENDER, else this clone's) and a key: --key, GARBO_API_KEY, the demo's."""
    return ServiceApi(
        url_of(env, "sender"), key or env.get("GARBO_API_KEY") or DEMO_KEYS["ops"], service="sender"
    )
