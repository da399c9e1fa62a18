"""Rules of a policy file by dice, any kind and any of its fields."""

from random import Random
from typing import Any, Final

CLASSES: Final = ("auth", "care", "utility", "promo")
CATEGORIES: Final = ("marketing", "utility", "authentication", "none")
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES: Final = ("Europe/Rome", "America/New_York", "Asia/Kathmandu", "UTC")

Entry = dict[str, Any]


def some(dice: Random, **choices: object) -> Entry:
    """Give each of the fields or leave it out."""
    return {name.rstrip("_"): value for name, value in choices.items() if dice.random() < 0.5}


def words(dice: Random, *of: str) -> Any:  # noqa: ANN401 - a word or a list
    """Give one word or a list of some."""
    return dice.choice(of) if dice.random() < 0.5 else dice.sample(of, dice.randint(1, len(of)))


def rule(dice: Random, name: str) -> Entry:
    """Give a rule of any kind."""
    kinds = (block, consent, window, quiet, hold, cap, gap, budget)
    reach = some(
        dice,
        applies_to=selector(dice),
        except_=selector(dice),
        **dice.choice(({"hard": True}, {"hard": False, "overridable_by": words(dice, "boss", "lead")})),
    )
    return {"id": name, **dice.choice(kinds)(dice), **reach}


def selector(dice: Random, depth: int = 0) -> Entry:
    """Give a selector of requests."""
    inner = {} if depth else some(dice, not_=selector(dice, 1))
    return {
        **counted(dice),
        **some(
            dice,
            purpose=words(dice, *CLASSES),
            form=words(dice, "free", "template"),
            client=words(dice, "crm", "desk"),
            number_region=words(dice, "US", "NO", "none"),
            recipient_kind=words(dice, "person", "group"),
        ),
        **inner,
    }


def counted(dice: Random) -> Entry:
    """Give a selector of sends."""
    return some(
        dice,
        class_=words(dice, *CLASSES),
        category=words(dice, *CATEGORIES),
        brand=words(dice, "acme", "bolt"),
        campaign=words(dice, "c1", "c 2", "none"),
        tag=words(dice, "t", "u", "1"),
    )


def waits(dice: Random) -> Entry:
    """Give what a hit means where time helps."""
    return some(dice, on_hit=dice.choice(("deny", {"defer": "48h"}, {"defer": "90m"})))


def block(dice: Random) -> Entry:
    """Give a block."""
    return {
        "type": "block",
        "state": dice.choice(("erased", "stopped", "always")),
        **some(dice, on_hit="deny"),
    }


def consent(dice: Random) -> Entry:
    """Give a consent rule."""
    own = some(
        dice, level=dice.choice(("single", "double")), max_age=dice.choice(("24mo", "1mo", "30d", "2w"))
    )
    purpose = dice.choice(("marketing", "utility", "care", "profiling"))
    return {"type": "consent", "purpose": purpose, **own}


def window(dice: Random) -> Entry:
    """Give a service window."""
    on_hit = dice.choice(("deny", {"fallback": "template"}))
    return {"type": "window", **some(dice, open=dice.choice(("24h", "1d", "90m")), on_hit=on_hit)}


def quiet(dice: Random) -> Entry:
    """Give quiet hours."""
    start, end = dice.choice((("21:00", "09:00"), ("00:00", "24:00"), ("22:30", "00:00"), ("13:00", "14:59")))
    days = dice.choice(("all", ["all"], words(dice, *DAYS)))
    zone = dice.choice(("recipient", *ZONES))
    return {"type": "quiet", "from": start, "to": end, **some(dice, days=days, zone=zone), **waits(dice)}


def hold(dice: Random) -> Entry:
    """Give a hold."""
    spans = some(dice, cool_down=dice.choice(("0s", "24h")), max=dice.choice(("7d", "1h")), state="case_open")
    return {"type": "hold", **spans, **waits(dice)}


def cap(dice: Random) -> Entry:
    """Give a cap."""
    limit = dice.choice((0, 1, 3, 256))
    calendar = {"calendar": dice.choice(("day", "week", "month")), **some(dice, zone=dice.choice(ZONES))}
    per = dice.choice((["recipient"], "recipient", ["brand", "recipient"], ["recipient", "campaign"]))
    long = {"window": "lifetime", "per": ["recipient", "campaign"]}
    short = {"window": dice.choice(({"rolling": "7d"}, {"rolling": "90m"}, calendar)), **some(dice, per=per)}
    kept = {"slots": 1, "min_priority": dice.choice((1, 80))}
    return {
        "type": "cap",
        "limit": limit,
        **dice.choice((long, short, short)),
        **(some(dice, keep_for=kept) if limit > 1 else {}),
        **some(dice, counts=counted(dice)),
        **waits(dice),
    }


def gap(dice: Random) -> Entry:
    """Give a gap."""
    per = dice.choice((["recipient"], ["recipient", "campaign", "brand"]))
    own = some(dice, per=per, counts=counted(dice))
    return {"type": "gap", "min": dice.choice(("2h", "45s", "3w")), **own, **waits(dice)}


def budget(dice: Random) -> Entry:
    """Give a budget."""
    calendar = {"calendar": dice.choice(("day", "week", "month"))}
    own = some(dice, window=dice.choice(("lifetime", calendar)))
    per = dice.choice(("campaign", "brand", "portfolio"))
    return {"type": "budget", "limit": dice.choice((0, 9, 10**12)), "per": per, **own, **waits(dice)}
