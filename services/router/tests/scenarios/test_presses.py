"""Buttons and list rows are the business's words: only what it, we or the platform declare means STOP."""

from datetime import timedelta
from typing import Any

import pytest

from garbo.common.business import Business
from garbo.router.domain.policy import Policy
from services.router.tests.support.build import (
    AT,
    CARE_NUMBER,
    business,
    consent,
    inbound,
    requested,
    result,
    template,
    text,
)
from services.router.tests.support.in_memory import cared
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import OPT_IN, STOPPED, MakePolicy
from services.router.tests.support.router import Router

LATER = AT + timedelta(seconds=3)


def with_buttons(**buttons: Any) -> Business:  # noqa: ANN401 - any field
    brands = [dict(brand.model_dump()) for brand in business().brands]
    brands[0]["buttons"] = buttons
    return business(brands=brands)


def press(title: str, payload: str | None, *, kind: str = "interactive", **more: Any) -> Any:  # noqa: ANN401
    return inbound(title, kind=kind, payload=payload, **more)


async def reason_of_next_promo(router: Router) -> str | None:
    (decision,) = await router.ask(requested())
    return decision.reason


@pytest.fixture
def stopping(router: Router, make_policy: MakePolicy) -> Router:
    router.policy = make_policy(STOPPED)
    return router


@pytest.mark.parametrize("kind", ["button", "interactive"])
@pytest.mark.parametrize(
    ("title", "payload"),
    [
        ("Togli dal carrello", "remove"),
        ("STOP", "STOP"),
        ("No", "no"),
        ("Annulla", "cancel"),
        ("Unsubscribe", None),
    ],
)
async def test_a_button_of_the_business_goes_to_the_conversation_and_stops_nothing(
    stopping: Router, title: str, payload: str | None, kind: str
) -> None:
    pressed = press(title, payload, kind=kind)
    await stopping.hear(pressed)
    assert [care.wamid for care in cared(stopping)] == [pressed.wamid]
    assert await reason_of_next_promo(stopping) == "allowed"


@pytest.mark.parametrize(
    ("title", "payload"), [("Inizia chat", "start"), ("START", "START"), ("Start", None)]
)
async def test_a_button_of_the_business_lifts_no_stop(
    stopping: Router, memory: InMemoryStore, title: str, payload: str | None
) -> None:
    await stopping.hear(inbound("STOP"))
    memory.advance(timedelta(seconds=5))
    pressed = press(title, payload, occurred_at=LATER)
    await stopping.hear(pressed)
    assert await reason_of_next_promo(stopping) == "stopped"
    assert [care.wamid for care in cared(stopping)] == [pressed.wamid]


async def test_declared_buttons_stop_and_start(stopping: Router, memory: InMemoryStore) -> None:
    stopping.business = with_buttons(stop=["no-offers"], start=["offers"])
    await stopping.hear(press("Weniger davon", "no-offers", kind="button"))
    assert await reason_of_next_promo(stopping) == "stopped"
    memory.advance(timedelta(seconds=5))
    await stopping.hear(press("Doch", "offers", occurred_at=LATER))
    assert await reason_of_next_promo(stopping) == "allowed"


async def test_a_button_another_brand_declares_means_nothing(stopping: Router) -> None:
    stopping.business = with_buttons(stop=["no-offers"])
    await stopping.hear(press("No offers", "no-offers", number="2001"))
    (decision,) = await stopping.ask(requested(brand="bolt"))
    assert decision.reason == "allowed"


@pytest.mark.parametrize(
    ("purpose", "expected"), [("promo", "stopped"), ("care", "allowed"), (None, "stopped")]
)
async def test_the_platforms_opt_out_stands_on_marketing_templates_alone(
    stopping: Router, purpose: str | None, expected: str
) -> None:
    answered: dict[str, Any] = {}
    await stopping.hear(inbound("hello"))
    if purpose is not None:
        content = template() if purpose == "promo" else text()
        await stopping.ask(requested(purpose=purpose, number=CARE_NUMBER, content=content))
        await stopping.hear(result(stopping.granted[-1], "accepted", wamid="wamid.asked"))
        answered = {"reply_to": "wamid.asked"}
    pressed = press("Stop promotions", "Stop promotions", kind="button", **answered)
    await stopping.hear(pressed)
    assert await reason_of_next_promo(stopping) == expected
    assert (pressed.wamid in [care.wamid for care in cared(stopping)]) == (expected == "allowed")


def test_a_payload_means_one_thing() -> None:
    with pytest.raises(ValueError, match="payload x is listed twice"):
        with_buttons(stop=["x"], start=["x"])


async def test_a_press_is_no_confirmation_unless_it_is_declared(
    router: Router, make_policy: MakePolicy
) -> None:
    policy: Policy = make_policy(f"{OPT_IN}, level: double")
    router.policy = policy
    await router.hear(consent("requested"))
    await router.hear(press("Confermo", "confermo"))
    assert await reason_of_next_promo(router) == "not_opted_in"
    router.business = with_buttons(confirm=["yes"])
    await router.hear(press("Ja", "yes"))
    assert await reason_of_next_promo(router) == "allowed"
