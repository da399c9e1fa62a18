"""What a file says rule by rule and cannot mean as a whole."""

import pytest

from garbo.router.inbound.policy_file.load import PolicyRefused, read_policy_file

TOP = "policy: p\nversion: 1\ntimezone: { default: Europe/Rome }\nclasses: [{ id: promo }]\nrules:\n"
STOP = "id: s, type: block, state: stopped, applies_to: { class: promo }"
CONSENT = "id: o, type: consent, purpose: marketing, applies_to: { class: promo }"
DAY_CAP = "id: d, type: cap, limit: 1, window: { calendar: day }, applies_to: { class: promo }"


def content(*rules: str, top: str = TOP) -> bytes:
    return (top + ("".join(f"  - {{ {rule} }}\n" for rule in rules) or "  []\n")).encode()


def quiet(name: str, start: str, end: str, more: str = "") -> str:
    return f'id: {name}, type: quiet, from: "{start}", to: "{end}"{more}'


@pytest.mark.parametrize(
    "rules",
    [
        [quiet("a", "09:00", "21:00"), quiet("b", "21:00", "09:00")],
        [quiet("a", "00:00", "24:00")],
        [quiet("a", "00:00", "12:00"), quiet("b", "11:00", "00:00")],
        [
            quiet("a", "20:00", "08:00"),
            quiet("b", "08:00", "20:00", ", days: [mon, tue, wed, thu, fri]"),
            quiet("c", "00:00", "24:00", ", days: [sat, sun]"),
        ],
        [
            quiet("a", "09:00", "21:00", ", applies_to: { class: promo }"),
            quiet("b", "21:00", "09:00", ", applies_to: { class: [promo, utility] }"),
        ],
        [
            quiet("a", "09:00", "21:00", ", except: { tag: x }"),
            quiet("b", "21:00", "09:00", ", except: { tag: y }"),
        ],
    ],
)
def test_quiet_rules_that_leave_no_hour_are_refused(rules: list[str]) -> None:
    with pytest.raises(PolicyRefused, match="closes every day entirely"):
        read_policy_file(content(*rules))


@pytest.mark.parametrize(
    "rules",
    [
        [quiet("a", "09:00", "21:00"), quiet("b", "21:00", "08:59")],
        [quiet("a", "00:00", "24:00", ", days: [mon, tue, wed, thu, fri, sat]")],
        [
            quiet("a", "09:00", "21:00", ", applies_to: { class: promo }"),
            quiet("b", "21:00", "09:00", ", applies_to: { class: utility }"),
        ],
        [
            quiet("a", "09:00", "21:00", ", applies_to: { tag: x }"),
            quiet("b", "21:00", "09:00", ", except: { tag: x }"),
        ],
        [
            quiet("a", "09:00", "21:00", ", applies_to: { tag: x }"),
            quiet("b", "21:00", "09:00", ", applies_to: { not: { tag: x } }"),
        ],
    ],
)
def test_quiet_rules_that_leave_an_hour_to_everybody_are_read(rules: list[str]) -> None:
    read_policy_file(content(*rules))


def warnings(*rules: str, top: str = TOP) -> tuple[str, ...]:
    return read_policy_file(content(*rules, top=top)).warnings


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([STOP], "no consent rule over all promo"),
        ([STOP, CONSENT.replace("promo }", "promo, brand: acme }")], "no consent rule over all promo"),
        ([STOP, CONSENT + ", except: { tag: vip }"], "no consent rule over all promo"),
        ([CONSENT], "no block rule of state stopped over all promo"),
        ([CONSENT, STOP.replace("stopped", "erased")], "no block rule of state stopped over all promo"),
    ],
)
def test_promo_that_nobody_guards_is_warned_of(rules: list[str], told: str) -> None:
    (warning,) = warnings(*rules)
    assert told in warning
    assert warnings(STOP, CONSENT) == ()


def test_a_calendar_cap_without_a_rolling_one_is_warned_of() -> None:
    (warning,) = warnings(STOP, CONSENT, DAY_CAP)
    assert warning.startswith("rule d: a calendar cap alone")
    rolling = DAY_CAP.replace("id: d", "id: r").replace("calendar: day", "rolling: 20h")
    assert warnings(STOP, CONSENT, DAY_CAP, rolling) == ()
    assert len(warnings(STOP, CONSENT, DAY_CAP, rolling.replace("class: promo", "class: utility"))) == 1


def test_a_wall_clock_without_a_zone_of_last_resort_is_warned_of() -> None:
    unsaid = TOP.replace("timezone: { default: Europe/Rome }\n", "")
    (warning,) = warnings(STOP, CONSENT, quiet("q", "21:00", "09:00"), top=unsaid)
    assert "is taken to live in UTC" in warning


def test_counting_only_what_arrived_is_warned_of() -> None:
    (warning,) = warnings(STOP, CONSENT, top="counting: { consume: delivered }\n" + TOP)
    assert "lets what is on its way pass a cap" in warning
