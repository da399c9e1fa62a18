"""Policy files by dice, and a digest of what each is read into: a policy and its warnings, or a refusal."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import yaml

from garbo.router.domain.rules.cap import RateRule
from garbo.router.inbound.policy_file.load import PolicyRefused, read_policy_file
from services.router.tests.golden.policy_rules import CATEGORIES, CLASSES, ZONES, Entry, rule, some, words

VARIATIONS: Final = 300


INSTANTS: Final = ("3d ago", "90m ago", "2026-06-01T10:00:00Z", "2026-06-04 22:30", "in 2h", "1w ago")


def written_by_hand() -> Iterator[tuple[str, bytes]]:
    """Give the policy files tests are played with."""
    payloads = Path(__file__).parents[1] / "payloads"
    for path in sorted(payloads.rglob("*.yaml")):
        yield str(path.relative_to(payloads)), path.read_bytes()


def varied() -> Iterator[tuple[str, bytes]]:
    """Give files by dice: those without tests are policies, those with tests mostly a list of what came."""
    for seed in range(VARIATIONS):
        dice = Random(seed)
        content = policy(dice)
        yield f"policy {seed}", written(content, dice)
        yield f"tests {seed}", written({**content, "tests": [policy_test(dice, n) for n in range(4)]}, dice)


def digest(content: bytes) -> str:
    """Tell one reading from another, by the values read and the words of a refusal."""
    try:
        file = read_policy_file(content)
    except PolicyRefused as refused:
        told = "\n".join(refused.lines())
    else:
        read = [values_of(file.policy), file.warnings, file.tests]
        told = json.dumps(read, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def values_of(value: object) -> Any:  # noqa: ANN401 - JSON
    """Give a value as JSON, by the names of its fields."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [values_of(item) for item in value]
    if is_dataclass(value):
        return {field.name: values_of(getattr(value, field.name)) for field in fields(value) if field.init}
    names: tuple[str, ...] = getattr(value, "__struct_fields__", ())
    told = {name: values_of(getattr(value, name)) for name in names}
    if isinstance(value, RateRule):
        told["kind"] = value.type
    return told or value


def written(content: Entry, dice: Random) -> bytes:
    """Write a file in flow or in block style."""
    if dice.random() < 0.5:
        return json.dumps(content, indent=1).encode()
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode()


def policy(dice: Random) -> Entry:
    """Give a policy without tests."""
    names = dice.sample(range(99), dice.randint(0, 7))
    return {
        "policy": dice.choice(("p", "acme.it", "a-b_c")),
        "version": 1,
        "classes": [
            {"id": dice.choice(CLASSES), **some(dice, when=matched(dice))} for _ in range(dice.randint(1, 4))
        ],
        "rules": [rule(dice, f"r{name}") for name in names],
        **settings(dice),
    }


def matched(dice: Random) -> Entry:
    """Give what a class is chosen by."""
    return some(dice, purpose=words(dice, *CLASSES), category=words(dice, *CATEGORIES))


def settings(dice: Random) -> Entry:
    """Give the rest of a file."""
    return some(
        dice,
        timezone=some(
            dice,
            from_=dice.choice((["contact"], ["country"], ["country", "contact"])),
            default=dice.choice(ZONES),
            multi=dice.choice(("strictest", "first")),
        ),
        week_start=dice.choice(("monday", "sunday", "thursday")),
        history=dice.choice(("90d", "400d", "14w")),
        lease=some(
            dice,
            ttl=dice.choice(("15m", "1d", "90s")),
            clock_skew=dice.choice(("0s", "3s")),
            send_budget=dice.choice(("30s", "1h")),
        ),
        counting=some(
            dice,
            consume=dice.choice(("reserved", "accepted", "delivered")),
            instant=dice.choice(("reserved", "accepted")),
            refund=words(dice, "rejected", "failed_definitive"),
            refund_codes=dice.choice(([], [131026], [1, 2, -3])),
            parts=dice.choice(("each", "once")),
        ),
        arbitration=some(
            dice,
            order=["priority desc", "expires_at asc", "requested_at asc", "request_id asc"],
            same_campaign=dice.choice(("keep_all", "keep_newest")),
            gather=dice.choice(("0s", "10s", "1m")),
        ),
        deferral=some(dice, spread=dice.choice(("0s", "30m", "1d"))),
        opt_out=some(
            dice,
            platform_stop=dice.choice(("brand", "number")),
            stop_words=words(dice, "basta promo", "genug", "arrêt"),
        ),
    )


def policy_test(dice: Random, n: int) -> Entry:
    """Give a test of a policy, which mostly fails and says what came."""
    expect = {"verdict": dice.choice(("allow", "defer", "deny"))}
    more = some(dice, rule=None, reason="quiet", class_="promo", fallback=False, next_allowed_at=None)
    at = dice.choice(("2026-06-05T10:00:00Z", "2026-06-05 12:00", "2026-03-29 02:30"))
    parts = some(dice, given=given(dice))
    return {"name": f"test {n}", "at": at, **parts, "ask": ask(dice), "expect": {**expect, **more}}


def given(dice: Random) -> Entry:
    """Give what is known of a person."""
    at, brand = dice.choice(INSTANTS), dice.choice(("acme", "bolt"))
    consented = some(dice, given=at, confirmed=dice.choice(INSTANTS), purpose="marketing", brand=brand)
    send = {"at": at, **some(dice, class_=dice.choice(CLASSES), brand=brand, campaign="c1", tags=["t", "u"])}
    more = some(dice, category=dice.choice(CATEGORIES[:3]), open=True, delivered=True)
    return some(
        dice,
        zone=dice.choice(ZONES),
        region=dice.choice(("IT", "US")),
        country_zones=words(dice, *ZONES),
        kind=dice.choice(("person", "group")),
        erased=dice.random() < 0.2,
        consents=[at, {**consented, **some(dice, withdrawn=at, channel="whatsapp")}],
        stops=[{"at": at, **some(dice, brand=brand, started="1h ago")}],
        platform_stops=[{"at": at, **some(dice, brand=brand, resumed="1h ago", number="care")}],
        cases=dice.choice(([at], [{"opened": at, **some(dice, closed="1h ago", brand=brand)}])),
        inbound=[dice.choice(INSTANTS), {"at": at, "number": "promo"}],
        sends=[dice.choice(INSTANTS), {**send, **more}],
    )


def ask(dice: Random) -> Entry:
    """Give what is asked."""
    templates = ("marketing", "utility", "authentication", "unknown")
    instants = ("in 2h", "1h ago", "2026-06-05 20:00")
    return {
        "purpose": dice.choice(CLASSES),
        **some(
            dice,
            template=dice.choice(templates),
            fallback=dice.choice(templates),
            brand="bolt",
            number=dice.choice(("care", "promo")),
            client="desk",
            channel=dice.choice(("auto", "whatsapp", "sms")),
            campaign="c1",
            tags=words(dice, "t", "u"),
            priority=dice.choice((0, 90, 100)),
            not_before=dice.choice(instants),
            expires_at=dice.choice(instants),
            requested_at=dice.choice(instants),
            waiting_since=dice.choice(instants),
            override=words(dice, "r1", "r2"),
            roles=words(dice, "boss", "lead"),
            parts=dice.choice((1, 2)),
        ),
    }
