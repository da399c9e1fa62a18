"""Scenario 11: a limit of nothing, no limit at all, and rules that cannot be meant."""

import pytest

from garbo.router.domain.decide import decide
from services.router.tests.support.build_domain import JUNE_5, a_request, a_state
from services.router.tests.support.policies import SOME_A_WEEK, MakePolicy
from services.router.tests.support.policy_text import TOP, refusal

CAP = "id: c, type: cap, window: { rolling: 7d }"
QUIET = "id: q, type: quiet"


def test_scenario_11_limit_zero_is_never_and_no_rule_is_always(make_policy: MakePolicy) -> None:
    never = decide(make_policy(SOME_A_WEEK % 0), a_state(), a_request(), JUNE_5)
    assert (never.verdict, never.reason, never.next_allowed_at_us) == ("deny", "cap_reached", None)
    erased_only = make_policy("id: erased, type: block, state: erased")
    assert decide(erased_only, a_state(), a_request(), JUNE_5).verdict == "allow"


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (f"{CAP}, limit: null", "line 5: rule c: limit: is null"),
        (f"{CAP}, limit: -1", "rule c: limit: must be a whole number from 0 (never) to 256"),
        (f"{CAP}, limit: 1.5", "rule c: limit: must be a whole number"),
        (f"{CAP}, limit: true", "rule c: limit: must be a whole number"),
        (f'{CAP}, limit: "3"', "rule c: limit: must be a whole number"),
        (f"{CAP}, limit: 257", "rule c: limit: must be a whole number"),
        (f"{CAP}", "rule c: limit: is missing"),
        (f"{CAP}, limit: 1, max: 3", "rule c: max: is not a field here"),
        (f"{CAP}, limit: 1, limit: 2", "limit: stands twice here"),
        (
            "id: c, type: cap, limit: 1, window: { rolling: 1mo }",
            "window: rolling: must be a whole number and s",
        ),
        ("id: c, type: cap, limit: 1, window: { rolling: 1.5h }", "window: rolling: must be a whole number"),
        ("id: c, type: cap, limit: 1, window: { rolling: 91d }", "rule c: window: is longer than history"),
        ("id: c, type: cap, limit: 1, window: 7d", "rule c: window: must be { rolling: 7d }"),
        (
            "id: c, type: cap, limit: 1, window: { calendar: year }",
            "calendar: must be one of day, week, month",
        ),
        (
            "id: c, type: cap, limit: 1, window: { calendar: day, zone: Rome }",
            "rule c: window: zone: is not a known time zone",
        ),
        ("id: c, type: cap, limit: 1, window: lifetime", "rule c: per: must name campaign for a lifetime"),
        (f"{CAP}, limit: 2, keep_for: {{ slots: 2, min_priority: 80 }}", "keep_for: slots: keeps 2 of 2"),
        (f"{CAP}, limit: 2, hard: true, overridable_by: [boss]", "overridable_by: stands beside hard"),
        (f"{CAP}, limit: 2, per: [brand]", "rule c: per: must be [recipient]"),
        (f"{CAP}, limit: 2, counts: {{ purpose: promo }}", "rule c: counts: purpose: is not a field here"),
        (f"{CAP}, limit: 2, on_hit: defer", "rule c: on_hit: must be deny, or { defer: 48h }"),
        (f"{CAP}, limit: 2, on_hit: {{ fallback: template }}", "on_hit: fallback: is for window rules"),
        ("id: c, type: cup", "rule c: type: must be one of block, consent"),
        ("type: block", "rule number 1: id: is missing"),
        ("id: a b, type: block", "rule number 1: id: must be a name"),
        ("id: platform_cooldown, type: block", "is the name of a check of the router's own"),
        ("id: b, type: block, state: gone", "rule b: state: must be one of erased, stopped, always"),
        ("id: b, type: block, state: erased, on_hit: { defer: 1h }", "on_hit: defer: does not help"),
        (
            "id: b, type: block, state: erased, applies_to: { klass: promo }",
            "rule b: applies_to: klass: is not a field",
        ),
        (
            "id: b, type: block, state: erased, applies_to: { class: spam }",
            "rule b: applies_to: class: spam is none of",
        ),
        (
            "id: b, type: block, state: erased, except: { number_region: usa }",
            "rule b: except: number_region: must be countries in two capital letters",
        ),
        (
            "id: b, type: block, state: erased, except: { not: { tag: [] } }",
            "except: not: tag: must be a word",
        ),
        ("id: g, type: gap, min: 0h", "rule g: min: must be a whole number"),
        ("id: g, type: gap, min: 91d", "rule g: min: is longer than history"),
        ("id: g, type: gap, min: 2h, per: [campaign]", "rule g: per: must be [recipient]"),
        ("id: w, type: window, open: 25h", "rule w: open: must be 1d at most"),
        (
            "id: w, type: window, on_hit: { fallback: sms }",
            "rule w: on_hit: fallback: must be one of template",
        ),
        ("id: o, type: consent, purpose: spam", "rule o: purpose: must be one of marketing"),
        ("id: o, type: consent, purpose: marketing, max_age: 2y", "rule o: max_age: must be a whole number"),
        (f'{QUIET}, from: "21:00", to: "21:00"', "rule q: to: equals from"),
        (f'{QUIET}, from: "24:00", to: "09:00"', "rule q: from: must be before 24:00"),
        (f'{QUIET}, from: "9:00", to: "10:00"', "rule q: from: must be a time from 00:00 to 24:00"),
        (f'{QUIET}, from: "24:30", to: "10:00"', "rule q: from: must be a time"),
        (f'{QUIET}, from: "01:00", to: "02:00", days: [sunday]', "rule q: days: must be all, or of mon"),
        (f'{QUIET}, from: "01:00", to: "02:00", zone: CEST', "rule q: zone: is not a known time zone"),
        ("id: h, type: hold, state: open", "rule h: state: must be one of case_open"),
        ("id: t, type: budget, limit: 9", "rule t: per: is missing"),
        (
            "id: t, type: budget, limit: 9, per: campaign, window: { rolling: 1d }",
            "window: calendar: is missing",
        ),
    ],
)
def test_scenario_11_wrong_rules_are_refused(rule: str, told: str) -> None:
    assert told in str(refusal(f"{TOP}  - {{ {rule} }}\n"))
