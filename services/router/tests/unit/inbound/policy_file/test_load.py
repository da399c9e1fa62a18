"""A policy that cannot be meant is refused, with the line, the rule, the field and how to write it."""

import time
from pathlib import Path

import pytest

from garbo.common.errors import StartRefused
from garbo.router.domain.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from garbo.router.domain.policy_settings import Counting, Zones
from garbo.router.domain.rules.block import BlockRule
from garbo.router.domain.rules.budget import BudgetRule
from garbo.router.domain.rules.cap import CapRule, GapRule, KeepFor
from garbo.router.domain.rules.case_hold import HoldRule
from garbo.router.domain.rules.consent import ConsentRule
from garbo.router.domain.rules.counting_windows import Calendar, Lifetime, Rolling
from garbo.router.domain.rules.quiet_hours import QuietRule
from garbo.router.domain.rules.service_window import WindowRule
from garbo.router.inbound.policy_file.document import MOST_BYTES
from garbo.router.inbound.policy_file.load import load_policy, read_policy
from services.router.tests.support.policies import PAYLOADS
from services.router.tests.support.policy_text import TOP, refusal

WHOLE = (PAYLOADS / "policy_whole.yaml").read_bytes()


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
    assert isinstance(day, CapRule)
    assert (day.window, day.per_brand, day.keep_for) == (Calendar("month"), True, KeepFor(1, 80))
    assert (day.reach.on_hit, day.reach.overridable_by) == ("deny", frozenset({"boss"}))
    assert isinstance(rolling, CapRule)
    assert (rolling.limit, rolling.window) == (0, Rolling(14 * DAY_US, "rolling 2w"))
    assert isinstance(once, CapRule)
    assert (once.window, once.per_campaign, once.per_brand) == (Lifetime(), True, False)
    assert isinstance(gap, GapRule)
    assert (gap.type, gap.limit, gap.window) == ("gap", 1, Rolling(90 * SECOND_US, "min 90s"))
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
