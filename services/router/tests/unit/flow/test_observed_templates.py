"""What was read at the platform: it refuses what nobody could send, and its category decides the class."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from garbo.common.events.platform import PlatformChange
from garbo.common.events.template_observed import TemplateObserved
from garbo.common.events.template_takes import Takes
from libs.common.tests.support.contents import GOOD
from services.router.tests.support.build import requested, template
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import OPT_IN, MakePolicy
from services.router.tests.support.router import Router

WABA = "9001"


def account(at: datetime) -> TemplateObserved:
    return TemplateObserved(waba=WABA, observed_at=at, believed_until=at + timedelta(hours=2))


def observed(at: datetime, name: str = "sale", **more: Any) -> TemplateObserved:  # noqa: ANN401 - any field
    plain = {"language": "it", "category": "MARKETING", "status": "APPROVED", "takes": Takes()}
    return TemplateObserved.model_validate({"waba": WABA, "name": name, "observed_at": at, **plain, **more})


def announced(at: datetime, due: datetime) -> PlatformChange:
    value = {
        "message_template_name": "shipped",
        "message_template_language": "it",
        "correct_category": "MARKETING",
        "new_category": "UTILITY",
        "category_update_timestamp": int(due.timestamp()),
    }
    return PlatformChange(
        change_id="c", waba=WABA, field="template_category_update", value=value, received_at=at
    )


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        pytest.param({"takes": Takes(body_values=("1",))}, "parameter_count", id="count"),
        pytest.param({"takes": Takes(header="VIDEO")}, "template_parameters", id="no film"),
        pytest.param({"status": "PAUSED"}, "template_paused", id="paused"),
        pytest.param({"status": "DISABLED"}, "template_disabled", id="disabled"),
        pytest.param({"status": "DELETED"}, "unknown_template", id="gone"),
        pytest.param({"name": "another"}, "unknown_template", id="not there"),
    ],
)
async def test_what_no_number_could_send_is_denied(
    router: Router, memory: InMemoryStore, more: dict[str, Any], reason: str
) -> None:
    await router.hear(observed(memory.now, **more), account(memory.now))
    (decision,) = await router.ask(requested())
    assert (decision.verdict, decision.reason, decision.final) == ("deny", reason, True)
    assert not router.granted


async def test_account_that_was_never_read_refuses_nothing_of_its_own(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(observed(memory.now, status="PAUSED"))
    (decision,) = await router.ask(requested())
    assert decision.reason != "template_paused"
    by_file = [{"content": template("counted")}, {"fallback": {"template": template("counted")["template"]}}]
    decided = await router.ask(*(requested(**more) for more in by_file))
    assert [one.reason for one in decided] == ["parameter_count"] * 2


async def test_the_business_file_overrides_nothing_the_platform_showed(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(observed(memory.now, "counted", category="UTILITY"), account(memory.now))
    (decision,) = await router.ask(requested(purpose="utility", content=template("counted")))
    assert decision.reason != "parameter_count"


async def test_category_that_was_read_decides_the_class_and_an_older_reading_changes_nothing(
    router: Router, memory: InMemoryStore, make_policy: MakePolicy
) -> None:
    router.policy = make_policy(OPT_IN)
    await router.hear(observed(memory.now, "shipped", category="MARKETING"))
    await router.hear(observed(memory.now - timedelta(hours=1), "shipped", category="UTILITY"))
    (decision,) = await router.ask(requested(purpose="utility", content=template("shipped")))
    assert (decision.message_class, decision.category) == ("promo", "marketing")


async def test_announced_change_outlives_a_reading_until_its_day(
    router: Router, memory: InMemoryStore, make_policy: MakePolicy
) -> None:
    router.policy = make_policy(OPT_IN)
    due = memory.now + timedelta(days=1)
    await router.hear(announced(memory.now, due))
    memory.advance(timedelta(hours=1))
    await router.hear(observed(memory.now, "shipped", category="UTILITY"))
    (before,) = await router.ask(requested(purpose="utility", content=template("shipped")))
    memory.advance(timedelta(days=1))
    (after,) = await router.ask(requested(purpose="utility", content=template("shipped")))
    assert (before.message_class, after.message_class) == ("utility", "promo")
    await router.hear(observed(memory.now, "shipped", category="UTILITY"))
    (read_again,) = await router.ask(requested(purpose="utility", content=template("shipped")))
    assert read_again.message_class == "utility", "what is read on its day, or later, is the platform's word"


USER, GROUP = {"user_id": "IT.13491208655302741918"}, {"group_id": "Y2FwaV9ncm91cDox"}


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        pytest.param(USER, "needs_phone", id="only a user id"),
        pytest.param(GROUP, "not_for_groups", id="a group"),
        pytest.param({"phone": "+393331234567"}, "allowed", id="a phone number"),
    ],
)
async def test_password_goes_to_a_phone_number_alone(
    router: Router, memory: InMemoryStore, to: dict[str, str], reason: str
) -> None:
    await router.hear(observed(memory.now, "code", category="AUTHENTICATION"))
    (decision,) = await router.ask(requested(to=to, purpose="auth", content=template("code")))
    assert decision.reason == reason
    assert len(router.granted) == (reason == "allowed")


async def test_password_as_a_fallback_needs_a_phone_number_too(router: Router, memory: InMemoryStore) -> None:
    await router.hear(observed(memory.now, "code", category="AUTHENTICATION"))
    second = {"template": template("code")["template"]}
    asked = requested(
        to=USER, purpose="auth", content={"type": "text", "text": {"body": "7"}}, fallback=second
    )
    (decision,) = await router.ask(asked)
    assert decision.reason == "needs_phone"


async def test_utility_template_goes_to_a_user_id(router: Router, memory: InMemoryStore) -> None:
    await router.hear(observed(memory.now, "code", category="UTILITY"))
    (decision,) = await router.ask(requested(to=USER, purpose="utility", content=template("code")))
    assert decision.reason != "needs_phone"


async def test_group_named_by_its_contact_is_sent_nothing_interactive(
    router: Router, memory: InMemoryStore
) -> None:
    (first,) = await router.ask(requested(to=GROUP))
    to = {"contact_id": str(first.contact_id)}
    asked = requested(to=to, purpose="care", content=GOOD["buttons"])
    (decision,) = await router.ask(asked)
    assert decision.reason == "not_for_groups"
