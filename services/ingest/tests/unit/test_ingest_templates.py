"""The platform's word of its templates counts at the door; the business file's where it was not read."""

from datetime import timedelta
from typing import Any

import pytest
from starlette.types import ASGIApp

from garbo.common.events.template_observed import TemplateObserved
from garbo.common.events.template_registry import TemplateRegistry
from garbo.common.events.template_takes import Takes
from libs.common.tests.support.clock import FixedClock
from services.ingest.tests.support.event_log import MemoryEventLog
from services.ingest.tests.support.http import DESK, post
from services.ingest.tests.unit.test_ingest_template_counts import WAYS, asked

SHIPPED = Takes(header="IMAGE", body_values=("1", "2", "3"))
PICTURE = {"type": "header", "parameters": [{"type": "image", "image": {"id": "1"}}]}


@pytest.fixture(autouse=True)
def read(observed_templates: TemplateRegistry, ingest_clock: FixedClock) -> TemplateRegistry:
    """Account 1 was read a moment ago: `shipped` takes three values, not the business file's two."""
    now = ingest_clock.now()
    observed_templates.apply(
        [
            TemplateObserved(
                waba="1",
                name="shipped",
                language="en_US",
                status="APPROVED",
                takes=SHIPPED,
                observed_at=now,
            ),
            TemplateObserved(waba="1", observed_at=now, believed_until=now + timedelta(hours=2)),
        ]
    )
    return observed_templates


def with_picture(body: dict[str, Any], way: str) -> dict[str, Any]:
    body[way]["template"]["components"] = [*body[way]["template"]["components"], PICTURE]
    return body


@pytest.mark.parametrize("way", WAYS)
async def test_the_platform_s_number_counts_whatever_the_business_file_says(
    ingest_app: ASGIApp, event_log: MemoryEventLog, way: str
) -> None:
    assert (await post(ingest_app, with_picture(asked(way, values=3), way))).status == 202
    taken = len(event_log.entries)
    answer = await post(ingest_app, [asked(way, values=2)])
    assert answer.status == 422
    picture, count = answer.json()["errors"]
    assert picture["field"] == f"{way}.template.components"
    assert "one parameter of type image" in picture["detail"]
    assert count["field"] == f"{way}.template.components.0.parameters"
    assert "must give the body 3 parameters, not 2" in count["detail"]
    assert len(event_log.entries) == taken


@pytest.mark.parametrize("way", WAYS)
async def test_template_the_account_has_not_is_refused_with_the_mend(ingest_app: ASGIApp, way: str) -> None:
    answer = await post(ingest_app, asked(way, name="new", values=0))
    assert answer.status == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == f"{way}.template.name"
    assert "garbo templates sync" in error["detail"]


async def test_reading_that_is_too_old_refuses_nothing(ingest_app: ASGIApp, ingest_clock: FixedClock) -> None:
    ingest_clock.advance(timedelta(hours=3))
    assert (await post(ingest_app, asked("content", name="new", values=0))).status == 202
    answer = await post(ingest_app, asked("content", values=3))
    assert "must give the body 2 parameters" in answer.json()["errors"][0]["detail"], "the business file's"


async def test_number_of_the_request_names_the_account(ingest_app: ASGIApp) -> None:
    for number in ("100", "200"):
        asked_with = asked("content", values=0) | {"number": number}
        assert (await post(ingest_app, asked_with)).status == 422
    body = asked("content", values=0, name="new") | {"brand": "bella", "number": "999", "purpose": "care"}
    assert (await post(ingest_app, body, key=DESK)).status == 202, "a number nobody knows is the router's"
