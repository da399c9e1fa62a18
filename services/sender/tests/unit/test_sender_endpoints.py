"""Marketing templates go where their number has them; "not here" is tried once at the other endpoint."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from garbo.common.business import Business
from garbo.common.events.addresses import Recipient
from garbo.common.events.content import Content
from garbo.common.events.grants import SendGranted
from garbo.common.events.template_observed import TemplateObserved
from garbo.common.events.template_registry import TemplateRegistry
from garbo.sender.domain.endpoints import Endpoint
from garbo.sender.domain.outcomes import Accepted, Answer, Answered, Broke, Failed, judge
from garbo.sender.domain.queued_send import QueuedSend
from garbo.sender.outbound.whatsapp import WhatsAppApi
from garbo.sender.outbound.whatsapp_endpoints import BothEndpoints
from libs.common.tests.support.contents import GOOD
from services.sender.tests.support.builders import NUMBER, a_grant, a_send
from services.sender.tests.support.graph import TOKENS, error_reply, fake_graph

WABA = "9001"
READ: TypeAdapter[Any] = TypeAdapter(Content)
TAKEN = Answered(200, {"messages": [{"id": "wamid.x"}]})


def business(*, marketing: bool = True) -> Business:
    number = {"id": NUMBER, "display": "+39 02 1", "waba": WABA, "brand": "acme", "token": "t"}
    brand = {"id": "acme", "care_number": NUMBER, "promo_number": NUMBER}
    numbers = [number | {"marketing_messages": marketing}]
    return Business.model_validate({"brands": [brand], "numbers": numbers, "clients": []})


def grant(name: str = "template", category: str | None = "marketing", **to: str) -> SendGranted:
    content = READ.validate_python(GOOD[name])
    recipient = Recipient.model_validate(to or {"phone": "+393331234567"})
    return a_grant(to=recipient).model_copy(update={"content": content, "category": category})


def registry(category: str | None, **more: str) -> TemplateRegistry:
    known = TemplateRegistry()
    at = datetime(2026, 11, 1, tzinfo=UTC)
    shown = {"name": "order_shipped", "language": "it", "category": category} | more
    known.apply([TemplateObserved.model_validate({"waba": WABA, "observed_at": at, **shown})])
    return known


def refused(code: int, status: int = 400) -> Answered:
    return Answered(status, {"error": {"code": code}})


@dataclass
class Platform:
    """Answers from a list, and notes where it was asked."""

    answers: list[Answer] = field(default_factory=lambda: [TAKEN])
    asked: list[str] = field(default_factory=list)

    async def post(
        self,
        send: QueuedSend,  # noqa: ARG002 - the port's form
        *,
        attempt_id: str,
        endpoint: Endpoint = "messages",
    ) -> Answer:
        self.asked.append(f"{attempt_id} {endpoint}")
        return self.answers.pop(0)


async def asked(
    one: SendGranted, *answers: Answer, marketing: bool = True, templates: TemplateRegistry | None = None
) -> tuple[list[str], Answer]:
    platform = Platform(list(answers) or [TAKEN])
    both = BothEndpoints(
        platform, business=lambda: business(marketing=marketing), templates=templates or TemplateRegistry()
    )
    answer = await both.post(a_send(one), attempt_id="a.1")
    return [said.removeprefix("a.1 ") for said in platform.asked], answer


@pytest.mark.parametrize(
    ("one", "marketing", "templates", "endpoint"),
    [
        pytest.param(grant(), True, None, "marketing_messages", id="marketing"),
        pytest.param(grant(), False, None, "messages", id="number without"),
        pytest.param(grant(category="utility"), True, None, "messages", id="utility"),
        pytest.param(grant(category=None), True, None, "messages", id="nobody knows"),
        pytest.param(grant("text", None), True, None, "messages", id="text"),
        pytest.param(grant(group_id="g1"), True, None, "messages", id="group"),
        pytest.param(
            grant(category="utility"),
            True,
            registry("MARKETING"),
            "marketing_messages",
            id="marketing by now",
        ),
        pytest.param(grant(), True, registry("UTILITY"), "messages", id="utility by now"),
        pytest.param(grant(), True, registry(None), "marketing_messages", id="shown without category"),
        pytest.param(
            grant(), True, registry("UTILITY", status="DELETED"), "marketing_messages", id="what is gone"
        ),
        pytest.param(grant(), True, registry("UTILITY", language="en"), "marketing_messages", id="other one"),
    ],
)
async def test_latest_category_chooses(
    one: SendGranted, marketing: bool, templates: TemplateRegistry | None, endpoint: str
) -> None:
    assert await asked(one, marketing=marketing, templates=templates) == ([endpoint], TAKEN)


@pytest.mark.parametrize(
    ("code", "status"), [(131055, 400), (134100, 400), (134101, 400), (134102, 500), (131063, 400)]
)
async def test_not_here_is_tried_once_at_the_other_endpoint(code: int, status: int) -> None:
    both = ["marketing_messages", "messages"]
    assert await asked(grant(), refused(code, status), TAKEN) == (both, TAKEN)
    assert await asked(grant(), refused(code, status), TAKEN, marketing=False) == (both[::-1], TAKEN)
    twice = await asked(grant(), refused(code, status), refused(134100))
    assert twice == (both, refused(134100))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(TAKEN, id="taken"),
        pytest.param(refused(131026), id="another refusal"),
        pytest.param(Answered(500, None), id="nobody knows"),
        pytest.param(Broke("timeout"), id="no answer"),
        pytest.param(Answered(400, {"error": {"code": "x"}}), id="no code"),
    ],
)
async def test_whatever_else_is_said_is_the_answer(answer: Answer) -> None:
    assert await asked(grant(), answer) == (["marketing_messages"], answer)


@pytest.mark.parametrize(
    "one", [pytest.param(grant("text", None), id="text"), pytest.param(grant(group_id="g1"), id="group")]
)
async def test_what_no_marketing_endpoint_takes_stays_where_it_was_refused(one: SendGranted) -> None:
    assert await asked(one, refused(131063)) == (["messages"], refused(131063))


async def test_both_endpoints_get_the_same_body_and_token() -> None:
    async with fake_graph() as graph:
        api = WhatsAppApi(url=graph.url, version="v25.0", tokens=TOKENS)
        await api.start()
        try:
            graph.script = [error_reply(134102, status=500)]
            both = BothEndpoints(api, business=business, templates=TemplateRegistry())
            assert isinstance(judge(await both.post(a_send(grant()), attempt_id="a.1")), Accepted)
            graph.script = [error_reply(134100), error_reply(131063)]
            last = judge(await both.post(a_send(grant()), attempt_id="a.2"))
            assert last == Failed(131063, "route_not_allowed")
        finally:
            await api.stop()
    ways = [f"/v25.0/{NUMBER}/{endpoint}" for endpoint in ("marketing_messages", "messages")]
    assert graph.paths == ways * 2
    assert graph.posts[0] == graph.posts[1]
    assert len(set(graph.tokens)) == 1
