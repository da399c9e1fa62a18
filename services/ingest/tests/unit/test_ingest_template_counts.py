"""A template is given as many values as it takes, where the business file says how many."""

from typing import Any

import pytest
from starlette.types import ASGIApp

from services.ingest.tests.support.event_log import MemoryEventLog
from services.ingest.tests.support.http import PHONE, post

WAYS = ["content", "fallback"]


def asked(way: str, *, name: str = "shipped", language: str = "en_US", values: int = 2) -> dict[str, Any]:
    given = [{"type": "text", "text": f"{n}"} for n in range(values)]
    components = [{"type": "body", "parameters": given}] if values else []
    template = {"name": name, "language": {"code": language}, "components": components}
    content: dict[str, Any] = {"type": "text", "text": {"body": "ciao"}}
    if way == "content":
        content = {"type": "template", "template": template}
    more = {"fallback": {"template": template}} if way == "fallback" else {}
    return {"brand": "acme", "to": {"phone": PHONE}, "purpose": "utility", "content": content, **more}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("values", [0, 1, 3])
async def test_another_number_of_values_is_refused_with_the_number(
    ingest_app: ASGIApp, event_log: MemoryEventLog, way: str, values: int
) -> None:
    answer = await post(ingest_app, [asked(way), asked(way, values=values)])
    assert answer.status == 422
    (error,) = answer.json()["errors"]
    assert (error["index"], error["field"]) == (1, f"{way}.template.components")
    assert "must give the body 2 parameters" in error["detail"]
    assert event_log.entries == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"language": "en-US"},
        {"name": "unsaid", "language": "it", "values": 7},
        {"name": "new", "values": 1},
    ],
    ids=["as many", "language otherwise written", "number unsaid", "unknown template"],
)
async def test_the_right_number_or_an_unknown_one_is_taken(
    ingest_app: ASGIApp, way: str, more: dict[str, Any]
) -> None:
    assert (await post(ingest_app, asked(way, **more))).status == 202
