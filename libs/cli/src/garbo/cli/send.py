"""`garbo send`: one message through ingest's HTTP API, as any other service would ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from garbo.common.errors import StartRefused

TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What to send to whom. Exactly one of text and template."""

    to: str
    purpose: str
    brand: str
    text: str | None = None
    template: str | None = None
    language: str = "it"
    parameters: Sequence[str] = ()
    campaign: str | None = None


def body_of(wish: Wish) -> dict[str, Any]:
    """Return the request body; raises StartRefused when it does not say what to send."""
    if (wish.text is None) == (wish.template is None):
        raise StartRefused("say what to send: --text or --template, one of them")
    body: dict[str, Any] = {"brand": wish.brand, "to": {"phone": wish.to}, "purpose": wish.purpose}
    if wish.text is not None:
        body["content"] = {"type": "text", "text": {"body": wish.text}}
    else:
        body["content"] = {"type": "template", "template": _template(wish)}
    return body | ({"campaign": wish.campaign} if wish.campaign else {})


def send(wish: Wish, *, ingest: str, api_key: str, idempotency_key: str | None) -> dict[str, Any]:
    """Ask for the message; returns its ids. Always with an Idempotency-Key, so a retry is the same request.

    Raises StartRefused with ingest's own words when it refuses, or when it does not answer.
    """
    headers = {"Authorization": f"Bearer {api_key}", "Idempotency-Key": idempotency_key or str(uuid4())}
    url = f"{ingest}/v1/messages"
    try:
        answer = httpx.post(url, json=body_of(wish), headers=headers, timeout=TIMEOUT_S, trust_env=False)
    except httpx.TransportError as error:
        why = type(error).__name__
        raise StartRefused(f"ingest at {ingest} does not answer ({why}): type make run") from None
    if answer.status_code != httpx.codes.ACCEPTED:
        raise StartRefused(f"ingest refused ({answer.status_code}): {_in_words(answer)}")
    ids: dict[str, Any] = answer.json()["messages"][0]
    return ids


def _template(wish: Wish) -> dict[str, Any]:
    template: dict[str, Any] = {"name": wish.template, "language": {"code": wish.language}}
    if wish.parameters:
        values = [{"type": "text", "text": value} for value in wish.parameters]
        template["components"] = [{"type": "body", "parameters": values}]
    return template


def _in_words(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        return "no reason given"
    faults = [f"{fault['field']}: {fault['detail']}" for fault in problem.get("errors", ())]
    return "; ".join(faults) or str(problem.get("detail", "no reason given"))
