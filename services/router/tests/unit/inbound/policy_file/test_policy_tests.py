"""A policy's own tests run through the decision before it may be put in force."""

import pytest

from garbo.router.inbound.policy_file.load import PolicyRefused, read_policy_file

POLICY = """
policy: p
version: 1
timezone: { default: Europe/Rome }
classes:
  - { id: promo, when: { category: marketing } }
  - { id: care, when: { purpose: care } }
  - { id: promo }
rules:
  - { id: opt-in, type: consent, purpose: marketing, applies_to: { class: promo }, hard: true }
  - { id: week, type: cap, limit: 3, window: { rolling: 7d },
      applies_to: { class: promo }, counts: { class: promo } }
tests:
"""
THREE = """
  - name: a fourth promo in a week waits
    at: 2026-06-05T10:00:00Z
    given:
      consents: [{ given: 30d ago }]
      sends: [2026-06-01T10:00:00Z, 2026-06-02T10:00:00Z, { at: 2026-06-03T10:00:00Z }]
    ask: { purpose: promo, template: marketing }
    expect: { verdict: defer, rule: week, reason: cap_reached, class: promo,
      next_allowed_at: 2026-06-08 12:00 }
"""


def refusal(tests: str) -> list[str]:
    with pytest.raises(PolicyRefused) as refused:
        read_policy_file((POLICY + tests).encode())
    return refused.value.lines("p.yaml")


def test_tests_that_hold_let_the_policy_pass() -> None:
    assert read_policy_file((POLICY + THREE).encode()).tests == 1


def test_a_test_that_fails_refuses_the_policy_with_what_was_expected_and_what_came() -> None:
    (line,) = refusal(THREE.replace("verdict: defer", "verdict: allow"))
    assert line == (
        "p.yaml:21: test 'a fourth promo in a week waits': expect: verdict should be allow, but it is defer "
        "(rule week, reason cap_reached, class promo, next_allowed_at 2026-06-08T12:00:00+02:00)"
    )


@pytest.mark.parametrize(
    ("expectation", "told"),
    [
        ("rule: opt-in", "rule should be opt-in"),
        ("rule: null", "rule should be none"),
        ("reason: gap", "reason should be gap"),
        ("class: care", "class should be care"),
        ("next_allowed_at: 2026-06-08 12:01", "next_allowed_at should be 2026-06-08T12:01:00+02:00"),
        ("next_allowed_at: null", "next_allowed_at should be none"),
        ("fallback: true", "fallback should be true"),
    ],
)
def test_each_expectation_is_compared(expectation: str, told: str) -> None:
    head, _, _ = THREE.partition("    expect:")
    (line,) = refusal(f"{head}    expect: {{ verdict: defer, {expectation} }}\n")
    assert told in line


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("at: 2026-06-05T10:00:00Z", "at: yesterday"), "at: must be an instant"),
        (("at: 2026-06-05T10:00:00Z", "at: 0001-01-01T00:00:00Z"), "at: must be an instant"),
        (("given: 30d ago", "given: 3 days ago"), "consents 1: given: must be an instant"),
        (("given: 30d ago", "since: 30d ago"), "consents 1: since: is not a field here"),
        (("purpose: promo", "purpose: spam"), "ask: purpose: must be one of"),
        (("verdict: defer", "verdict: maybe"), "expect: verdict: must be one of"),
        (("rule: week", "rule: month"), "expect: rule: must be one of opt-in, week"),
        (("    given:", "    zone: Europe/Rome\n    given:"), "zone: is not a field here"),
        (("    given:", "    given:\n      zone: Rome"), "given: zone: is not a known time zone"),
        (("name: a fourth promo in a week waits", "name: 4"), "test number 1: name: must be a text"),
    ],
)
def test_a_test_that_cannot_be_read_refuses_the_policy(change: tuple[str, str], told: str) -> None:
    (line,) = refusal(THREE.replace(*change))
    assert told in line


def test_all_failing_tests_are_told() -> None:
    wrong = THREE.replace("verdict: defer", "verdict: deny")
    assert len(refusal(wrong + wrong.replace("a fourth", "another fourth") + THREE)) == 2


def test_instants_are_read_by_the_persons_wall_clock_and_around_the_tests_own() -> None:
    test = """
  - name: by the clock of New York
    at: 2026-06-05 10:00
    given:
      zone: America/New_York
      consents: [{ given: 2026-06-05T14:00:00Z }]
    ask: { purpose: promo, template: marketing, not_before: in 2h }
    expect: { verdict: defer, rule: null, reason: not_before, next_allowed_at: 2026-06-05T16:00:00Z }
"""
    assert read_policy_file((POLICY + test).encode()).tests == 1


def test_everything_that_can_be_given_is_given() -> None:
    test = """
  - name: a care answer with everything there is
    at: 2026-06-05 10:00
    given:
      erased: false
      kind: person
      region: IT
      country_zones: [Europe/Rome]
      inbound: [1h ago, { at: 2h ago, number: promo }]
      stops: [2d ago, { at: 1d ago, brand: bolt, started: 1h ago }]
      platform_stops: [{ at: 1d ago, resumed: 2h ago }]
      cases: [{ opened: 3d ago, closed: 1d ago, brand: bolt }]
      consents: [{ given: 9d ago, purpose: care, channel: whatsapp, brand: acme, withdrawn: 1d ago }]
      sends:
        - { at: 1d ago, class: utility, campaign: c, tags: [t], open: true, delivered: false }
    ask:
      purpose: care
      fallback: utility
      brand: acme
      client: desk
      channel: whatsapp
      number: care
      priority: 10
      campaign: c
      tags: [t]
      expires_at: in 1h
      requested_at: 1m ago
      waiting_since: 1h ago
      override: [week]
      roles: [boss]
      parts: 2
    expect: { verdict: allow, class: care, fallback: false, rule: null, next_allowed_at: null }
"""
    assert read_policy_file((POLICY + test).encode()).tests == 1
