"""A policy that cannot be meant is refused, with the line, the rule, the field and how to write it."""

import time
from pathlib import Path

import pytest

from garbo.common.errors import StartRefused
from garbo.router.domain.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from garbo.router.domain.policy_settings import Counting, Zones
from garbo.router.domain.rules.block import BlockRule
from garbo.router.domain.rules.budget import BudgetRule
from garbo.router.domain.rules.cap import KeepFor, RateRule
from garbo.router.domain.rules.case_hold import HoldRule
from garbo.router.domain.rules.consent import ConsentRule
from garbo.router.domain.rules.counting_windows import Calendar, Lifetime, Rolling
from garbo.router.domain.rules.quiet_hours import QuietRule
from garbo.router.domain.rules.service_window import WindowRule
from garbo.router.inbound.policy_file.document import MOST_BYTES
from garbo.router.inbound.policy_file.load import PolicyRefused, load_policy, read_policy

TOP = "policy: p\nversion: 1\nclasses: [{ id: promo }]\nrules:\n"
CAP = "id: c, type: cap, window: { rolling: 7d }"
QUIET = "id: q, type: quiet"


def refusal(content: str) -> PolicyRefused:
    with pytest.raises(PolicyRefused) as refused:
        read_policy(content.encode())
    return refused.value


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


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("history: 401d", "policy: history: must be 400d at most"),
        ("history: 3mo", "policy: history: must be a whole number"),
        ("timezone: { default: Rome }", "policy: timezone: default: is not a known time zone"),
        ("timezone: { from: [phone] }", "policy: timezone: from: must be a list of contact, country"),
        ("timezone: { multi: any }", "policy: timezone: multi: must be one of strictest, first"),
        ("week_start: mon", "policy: week_start: must be one of monday"),
        ("lease: { ttl: 0s }", "policy: lease: ttl: must be a whole number"),
        ("lease: { ttl: 2s, clock_skew: 2s }", "policy: lease: clock_skew: is as long as ttl"),
        ("counting: { consume: sent }", "policy: counting: consume: must be one of reserved"),
        ("counting: { refund: [timeout] }", "policy: counting: refund: must be of rejected"),
        ("counting: { refund_codes: [131026, true] }", "refund_codes: must be a list of different"),
        ("arbitration: { order: [priority asc] }", "policy: arbitration: order: is always"),
        ("arbitration: { gather: 2m }", "policy: arbitration: gather: must be 1m at most"),
        ("deferral: { spread: 2d }", "policy: deferral: spread: must be 1d at most"),
        ("opt_out: { platform_stop: all }", "policy: opt_out: platform_stop: must be one of brand"),
        ('opt_out: { stop_words: ["!!"] }', "policy: opt_out: stop_words: must be at most"),
        ("colour: red", "line 6: policy: colour: is not a field here"),
    ],
)
def test_wrong_settings_are_refused(setting: str, told: str) -> None:
    assert told in str(refusal(f"{TOP}  []\n{setting}\n"))


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_file() -> None:
    wrong = "  - { id: a, type: cup }\n  - { id: b, type: block, state: erased }\n  - { id: c, type: gap }\n"
    lines = refusal(f"{TOP}{wrong}history: forever\nfoo: 1\n").lines("policy.yaml")
    assert [line.partition(": ")[0] for line in lines] == [
        "policy.yaml:5",
        "policy.yaml:7",
        "policy.yaml:8",
        "policy.yaml:9",
    ]


def test_two_rules_of_one_name_are_refused() -> None:
    rule = "  - { id: b, type: block, state: erased }\n"
    assert str(refusal(TOP + rule + rule)) == (
        "line 6: rule b: id: is used twice, first in line 5: give each rule its own"
    )


@pytest.mark.parametrize(
    "content",
    [
        "- 1",
        "policy: [",
        "\x00",
        "",
        "policy: p\nversion: 2",
        "policy: p\nversion: true",
        "a: &a [1]\nb: *a",
        "policy: !!python/name:os.system p",
        "policy: p\n---\npolicy: q",
        "? [a]\n: 1",
        "[" * 100_000,
        "a: {" * 50_000,
    ],
)
def test_what_is_no_policy_is_refused_by_name_of_the_file(tmp_path: Path, content: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(content)
    with pytest.raises(StartRefused) as refused:
        load_policy(file)
    assert str(file) in str(refused.value)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="cannot be read"):
        load_policy(tmp_path / "none.yaml")


def test_a_policy_of_a_megabyte_is_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(TOP + "  - { id: a, type: block, state: erased }\n" * 25_000)
    began_s = time.monotonic()
    with pytest.raises(StartRefused, match=f"has more than {MOST_BYTES} bytes"):
        load_policy(file)
    assert time.monotonic() - began_s < 1


def test_the_largest_policy_that_is_read_takes_seconds_at_most() -> None:
    rules = "".join(f"  - {{ id: r{n}, type: block, state: erased }}\n" for n in range(6000))[
        : MOST_BYTES - 200
    ]
    began_s = time.monotonic()
    assert "items: 200 at most" in str(refusal(TOP + rules.rpartition("\n")[0] + "\n"))
    assert time.monotonic() - began_s < 5


def test_version_is_the_hash_of_the_content() -> None:
    first, second = (read_policy((TOP + end).encode()) for end in ("  []\n", "  [] # c\n"))
    assert first.version.startswith("sha256:")
    assert len(first.version) == 7 + 64
    assert first.version != second.version


def test_a_plain_time_and_norway_are_words() -> None:
    rule = "{ id: q, type: quiet, from: 21:00, to: 24:00, applies_to: { number_region: [NO] } }"
    (quiet,) = read_policy(f"{TOP}  - {rule}\n".encode()).rules
    assert isinstance(quiet, QuietRule)
    assert (quiet.from_us, quiet.to_us) == (21 * HOUR_US, DAY_US)
    assert dict(quiet.reach.applies_to.terms) == {"number_region": frozenset({"NO"})}


WHOLE = (Path(__file__).parents[1] / "payloads" / "policy_whole.yaml").read_bytes()


def test_every_field_is_read_into_the_value_it_means() -> None:
    policy = read_policy(WHOLE)
    us, opt_in, young, window, night, hold, day, rolling, once, gap, total, each = policy.rules
    assert isinstance(us, BlockRule)
    assert us.state == "always"
    assert us.reach.applies_to.negated is not None
    assert isinstance(opt_in, ConsentRule)
    assert (opt_in.level, opt_in.max_age_us, opt_in.max_age_months) == ("double", None, 24)
    assert isinstance(young, ConsentRule)
    assert (young.max_age_us, young.max_age_months) == (30 * DAY_US, None)
    assert isinstance(window, WindowRule)
    assert window.open_us == 23 * HOUR_US
    assert isinstance(night, QuietRule)
    assert (night.from_us, night.to_us, night.days) == (22 * HOUR_US, DAY_US, frozenset({0, 6}))
    assert (night.zone, night.reach.max_defer_us) == ("Europe/Rome", DAY_US)
    assert isinstance(hold, HoldRule)
    assert (hold.cool_down_us, hold.max_us, hold.reach.max_defer_us) == (0, 2 * DAY_US, 72 * HOUR_US)
    assert hold.reach.exempt is not None
    assert isinstance(day, RateRule)
    assert (day.window, day.per_brand, day.keep_for) == (Calendar("month"), True, KeepFor(1, 80))
    assert (day.reach.on_hit, day.reach.overridable_by) == ("deny", frozenset({"boss"}))
    assert isinstance(rolling, RateRule)
    assert (rolling.limit, rolling.window) == (0, Rolling(14 * DAY_US, "rolling 2w"))
    assert isinstance(once, RateRule)
    assert (once.window, once.per_campaign, once.per_brand) == (Lifetime(), True, False)
    assert isinstance(gap, RateRule)
    assert (gap.kind, gap.limit, gap.window) == ("gap", 1, Rolling(90 * SECOND_US, "min 90s"))
    assert isinstance(total, BudgetRule)
    assert (total.per, total.window) == ("portfolio", Calendar("day", "Europe/Rome"))
    assert isinstance(each, BudgetRule)
    assert (each.per, each.limit, each.window) == ("campaign", 10, Lifetime())


def test_every_setting_is_read_into_the_value_it_means() -> None:
    policy = read_policy(WHOLE)
    assert policy.zones == Zones(sources=("contact",), default="Europe/Rome", strictest=False)
    assert (policy.week_starts_on, policy.history_us) == (6, 100 * DAY_US)
    assert (policy.lease_us, policy.clock_skew_us) == (5 * MINUTE_US, 3 * SECOND_US)
    assert policy.send_budget_us == 30 * SECOND_US
    assert policy.counting == Counting("delivered", "reserved", refund_failed=False, parts="once")
    assert policy.refund_codes == frozenset({131026})
    assert (policy.same_campaign, policy.gather_us) == ("keep_newest", 5 * SECOND_US)
    assert (policy.spread_us, policy.platform_stop) == (20 * MINUTE_US, "number")
    assert policy.stop_words == ("basta promo",)
