"""Which templates an account has: what was read is believed for its time, and refuses only what is sure."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from garbo.common.events.template import Language, Template
from garbo.common.events.template_observed import TemplateObserved
from garbo.common.events.template_registry import TemplateRegistry
from garbo.common.events.template_takes import Takes

AT = datetime(2026, 11, 1, 10, tzinfo=UTC)
SOON = AT + timedelta(minutes=5)
UNTIL = AT + timedelta(hours=2)


def observed(name: str = "sale", waba: str = "9001", **more: Any) -> TemplateObserved:  # noqa: ANN401 - any field
    plain: dict[str, Any] = {"language": "en_US", "status": "APPROVED", "takes": Takes(body_values=("1",))}
    return TemplateObserved.model_validate({"waba": waba, "name": name, "observed_at": AT, **plain, **more})


def account(waba: str = "9001") -> TemplateObserved:
    return TemplateObserved(waba=waba, observed_at=AT, believed_until=UNTIL)


def asked(name: str = "sale", *, language: str = "en_US", values: int = 1) -> Template:
    given = [{"type": "text", "text": "x"}] * values
    components = ({"type": "body", "parameters": given},)
    return Template(name=name, language=Language(code=language), components=components)


def registry(*records: TemplateObserved) -> TemplateRegistry:
    made = TemplateRegistry()
    made.apply(records)
    return made


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("APPROVED", None),
        ("FLAGGED", None),
        ("SOMETHING_NEW", None),
        (None, None),
        ("PAUSED", "template_paused"),
        ("DISABLED", "template_disabled"),
        ("REJECTED", "template_not_approved"),
        ("PENDING", "template_not_approved"),
        ("DELETED", "unknown_template"),
    ],
)
def test_only_states_in_which_nothing_can_be_sent_refuse(status: str | None, reason: str | None) -> None:
    known = registry(observed(status=status), account())
    assert next((f.reason for f in known.faults(asked(), ["9001"], SOON)), None) == reason


def test_unknown_template_is_refused_only_where_the_account_was_read() -> None:
    only_templates = registry(observed())
    assert only_templates.faults(asked("new"), ["9001"], SOON) == []
    (fault,) = registry(observed(), account()).faults(asked("new"), ["9001"], SOON)
    assert (fault.place, fault.reason) == (("name",), "unknown_template")
    assert "as read at 2026-11-01 10:00 UTC" in fault.advice
    assert "garbo templates sync" in fault.advice


def test_other_language_is_told_which_there_are() -> None:
    known = registry(observed(), observed(language="it"), account())
    (fault,) = known.faults(asked(language="fr"), ["9001"], SOON)
    assert fault.place == ("language", "code")
    assert fault.advice.endswith(": en_US, it")
    assert known.faults(asked(language="en-US"), ["9001"], SOON) == []


def test_what_was_read_long_ago_refuses_nothing() -> None:
    known = registry(observed(status="PAUSED"), account())
    assert known.faults(asked(), ["9001"], UNTIL)
    assert known.faults(asked(), ["9001"], UNTIL + timedelta(seconds=1)) == []
    assert not known.believes(["9001"], UNTIL + timedelta(seconds=1))


def test_of_several_accounts_one_that_can_send_it_is_enough() -> None:
    known = registry(observed(), account(), account("9002"))
    assert known.faults(asked(), ["9001", "9002"], SOON) == []
    assert known.faults(asked(values=2), ["9001", "9002"], SOON)[0].reason == "parameter_count"
    assert registry(account()).faults(asked(), ["9001", "9002"], SOON) == [], "9002 was never read"
    assert known.faults(asked(), [], SOON) == []


def test_newest_record_of_a_key_counts_and_the_same_again_is_the_same() -> None:
    known = registry(observed(status="PAUSED"), account(), observed())
    assert known.faults(asked(), ["9001"], SOON) == []
    assert [one.name for one in known.of("9001")] == ["sale"]
    later = observed(observed_at=SOON)
    assert later.same_as(observed())
    assert not later.same_as(observed(status="PAUSED"))
    assert not later.same_as(None)


@pytest.mark.parametrize(
    ("category", "chars", "faults"),
    [
        ("AUTHENTICATION", 15, 0),
        ("AUTHENTICATION", 16, 2),
        ("UTILITY", 16, 0),
        (None, 16, 0),
    ],
)
def test_password_has_fifteen_characters_at_most(category: str | None, chars: int, faults: int) -> None:
    code = {"type": "text", "text": "7" * chars}
    button = {"type": "button", "sub_type": "url", "index": 0, "parameters": [code]}
    template = asked().model_copy(update={"components": ({"type": "body", "parameters": [code]}, button)})
    known = registry(observed(category=category, takes=None), account())
    found = known.faults(template, ["9001"], SOON)
    assert [one.place for one in found] == [
        ("components", place, "parameters", 0, "text") for place in range(faults)
    ]
