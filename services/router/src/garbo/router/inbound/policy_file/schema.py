"""The policy file as JSON Schema: what an editor completes and underlines. Lint and tests say the rest."""

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from garbo.router.domain.state import REMEMBERED_SENDS
from garbo.router.inbound.policy_file import given, rates, rules, settings, trials
from garbo.router.inbound.policy_file.selectors import APPLIES, COUNTS, KNOWN_VALUES, REGION

Schema: TypeAlias = dict[str, Any]

NAME: Final[Schema] = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}
TEXT: Final[Schema] = {"type": "string", "minLength": 1}
FLAG: Final[Schema] = {"type": "boolean"}
TIME: Final[Schema] = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"}
ZONE: Final[Schema] = {"type": "string", "description": "An IANA name such as Europe/Rome, or recipient."}
INSTANT: Final[Schema] = {
    "type": "string",
    "description": "2026-06-05T10:00:00Z; by the person's clock 2026-06-05 12:00; 3d ago; in 2h.",
}


def policy_schema() -> Schema:
    """Give the schema of the whole file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Garbo policy",
        "description": "What may be sent to whom, and how often. See docs/policy.md.",
        **_object(_top(), required=("policy", "version", "classes", "rules")),
        "$defs": {
            "duration": _span("s m h d w", "^[0-9]{1,6}(s|m|h|d|w)$"),
            "age": _span("s m h d w or mo", "^([0-9]{1,6}(s|m|h|d|w)|[1-9][0-9]{0,2}mo)$"),
            "applies_to": _selector(APPLIES, "applies_to"),
            "counts": _selector(COUNTS, "counts"),
            "test": _test(),
            **{kind: _rule(kind) for kind in rules.RULE_TYPES},
        },
    }


def _top() -> Schema:
    return {
        "policy": {**NAME, "description": "The policy's name."},
        "version": {"const": 1, "description": "Of this format."},
        "timezone": _timezone(),
        "week_start": _one_of(settings.LONG_DAYS, "The first day of a calendar week."),
        "history": _duration("How long sends are remembered; no window is longer. 400d at most."),
        "lease": _object(
            {
                "ttl": _duration("How long a grant waits for its send."),
                "clock_skew": _duration("It ends this much before the next rule closes."),
                "send_budget": _duration("The sender's whole HTTP timeout."),
            }
        ),
        "classes": {**_list(_class(), "The first that matches; else promo."), "minItems": 1},
        "rules": {"type": "array", "items": _rules(), "maxItems": 200},
        "counting": _counting(),
        "arbitration": _arbitration(),
        "deferral": _object({"spread": _duration("Wakes are spread over this long.")}),
        "opt_out": _object(
            {
                "platform_stop": _one_of(settings.PLATFORM_STOP, "What the platform's own switch blocks."),
                "stop_words": _list(TEXT, "Further words that are always a STOP."),
            }
        ),
        "tests": {"type": "array", "items": {"$ref": "#/$defs/test"}, "maxItems": 500},
    }


def _timezone() -> Schema:
    return _object(
        {
            "from": _list(_one_of(settings.SOURCES), "The first that knows the person's zone."),
            "default": {**ZONE, "description": "Where nobody knows: an IANA name."},
            "multi": _one_of(settings.MULTI, "Of several zones: allowed in all, or in the first."),
        }
    )


def _counting() -> Schema:
    codes = "Platform errors after which it never reached the person."
    return _object(
        {
            "consume": _one_of(settings.CONSUME, "From when on a send counts."),
            "instant": _one_of(settings.INSTANTS, "Where it stands in a window."),
            "refund": _list(_one_of(settings.REFUNDS), "What gives a slot back; an unknown outcome never."),
            "refund_codes": _list({"type": "integer"}, codes),
            "parts": _one_of(settings.PARTS, "What a request of several messages counts as."),
        }
    )


def _arbitration() -> Schema:
    return _object(
        {
            "order": {"const": list(settings.ORDER), "description": "There is this one."},
            "same_campaign": _one_of(settings.SAME_CAMPAIGN, "Of several that wait: the newest, or all."),
            "gather": _duration("A promo waits this long for better ones; 0s is off, 1m the most."),
        }
    )


def _class() -> Schema:
    when = {"purpose": _words(KNOWN_VALUES["purpose"]), "category": _words(KNOWN_VALUES["category"])}
    return _object({"id": _one_of(sorted(KNOWN_VALUES["class"])), "when": _object(when)}, required=("id",))


def _rules() -> Schema:
    """Choose a rule's fields by its type, so that an editor speaks of that type alone."""
    return {
        "type": "object",
        "required": ["id", "type"],
        "properties": {"type": {"enum": list(rules.RULE_TYPES)}},
        "allOf": [
            {
                "if": {"properties": {"type": {"const": kind}}, "required": ["type"]},
                "then": {"$ref": f"#/$defs/{kind}"},
            }
            for kind in rules.RULE_TYPES
        ],
    }


def _rule(kind: str) -> Schema:
    own, required = _own_fields()[kind]
    on_hit: list[Schema] = [{"const": "deny"}]
    if kind == "window":
        on_hit.append(_object({"fallback": {"const": "template"}}, required=("fallback",)))
    if kind not in rules.TIMELESS:
        on_hit.append(_object({"defer": _duration("The longest wait.")}, required=("defer",)))
    envelope = {
        "id": {**NAME, "description": "What decisions call it."},
        "type": {"const": kind},
        "applies_to": {"$ref": "#/$defs/applies_to"},
        "except": {"$ref": "#/$defs/applies_to"},
        "on_hit": {"anyOf": on_hit, "description": "deny, or wait this long at most; 72h by default."},
        "hard": {**FLAG, "description": "Nobody passes it over, and nobody waits for it."},
        "overridable_by": {**_words(), "description": "Roles of clients that may pass it over."},
    }
    return _object({**envelope, **own}, required=("id", "type", *required))


def _own_fields() -> dict[str, tuple[Schema, tuple[str, ...]]]:
    """Give each rule type's own fields, and those it must have."""
    limit = {"type": "integer", "minimum": 0, "maximum": REMEMBERED_SENDS, "description": "0 is never."}
    counts = {"$ref": "#/$defs/counts"}
    keep_for = {"slots": _number(1, REMEMBERED_SENDS), "min_priority": _number(1, 100)}
    cap = {
        "limit": limit,
        "window": _windows(),
        "per": _words(rates.PER),
        "counts": counts,
        "keep_for": _object(keep_for, required=("slots", "min_priority")),
    }
    quiet = {"from": TIME, "to": TIME, "days": _words(("all", *rules.DAYS)), "zone": ZONE}
    hold = {"state": {"const": "case_open"}, "cool_down": _duration(""), "max": _duration("")}
    consent = {
        "purpose": _one_of(rules.PURPOSES),
        "level": _one_of(rules.LEVELS, "double: confirmed by the person."),
        "max_age": {"$ref": "#/$defs/age"},
    }
    total = {
        "limit": _number(0, rates.MOST_BUDGET),
        "per": _one_of(rates.BUDGET_PER),
        "window": {"anyOf": [{"const": "lifetime"}, _calendar(zoned=False)]},
    }
    return {
        "block": ({"state": _one_of(rules.STATES)}, ("state",)),
        "consent": (consent, ("purpose",)),
        "window": ({"open": _duration("24h at most.")}, ()),
        "quiet": (quiet, ("from", "to")),
        "hold": (hold, ()),
        "cap": (cap, ("limit", "window")),
        "gap": ({"min": _duration("Between two."), "per": _words(rates.PER), "counts": counts}, ("min",)),
        "budget": (total, ("limit", "per")),
    }


def _windows() -> Schema:
    rolling = _object({"rolling": _duration("The last so much, at every instant.")}, required=("rolling",))
    return {"anyOf": [rolling, _calendar(zoned=True), {"const": "lifetime"}]}


def _calendar(*, zoned: bool) -> Schema:
    fields: Schema = {"calendar": _one_of(rates.UNITS), **({"zone": ZONE} if zoned else {})}
    return _object(fields, required=("calendar",))


def _selector(keys: Iterable[str], name: str) -> Schema:
    terms = {key: _words(KNOWN_VALUES.get(key, ())) for key in keys}
    if "number_region" in terms:
        region = {"type": "string", "pattern": REGION}
        terms["number_region"] = {"anyOf": [region, {"type": "array", "items": region, "minItems": 1}]}
    return _object({**terms, "not": {"$ref": f"#/$defs/{name}"}})


def _test() -> Schema:
    """Describe a test; what is given is left to the reader of the file to check in depth."""
    names = ("zone", "country_zones", "region", "kind", "erased", "consents", "stops", "platform_stops")
    known: Schema = {name: {} for name in (*names, "cases", "inbound", "sends", "budget_left")}
    asked = ("brand", "client", "number", "campaign", "tags", "override", "roles", "parts", "priority")
    instants = ("requested_at", "not_before", "expires_at", "waiting_since")
    ask: Schema = {
        "purpose": _one_of(given.PURPOSES),
        "channel": _one_of(given.CHANNELS),
        "template": _one_of(given.TEMPLATES, "Its category; left out for free-form."),
        "fallback": _one_of(given.TEMPLATES, "The category of the template to use where free-form may not."),
        **{name: {} for name in asked},
        **dict.fromkeys(instants, INSTANT),
    }
    expect: Schema = {
        **{name: {} for name in trials.EXPECTED},
        "verdict": _one_of(trials.VERDICTS),
        "class": _one_of(given.PURPOSES),
        "next_allowed_at": {"anyOf": [INSTANT, {"type": "null"}]},
        "fallback": FLAG,
    }
    parts = {
        "name": {**TEXT, "description": "What holds, as a sentence."},
        "at": INSTANT,
        "given": _object(known),
        "ask": _object(ask, required=("purpose",)),
        "expect": _object(expect, required=("verdict",)),
    }
    return _object(parts, required=("name", "at", "ask", "expect"))


def _object(properties: Schema, *, required: Iterable[str] = ()) -> Schema:
    needed = list(required)
    shape = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**shape, "required": needed} if needed else shape


def _one_of(words: Iterable[str], description: str = "") -> Schema:
    return _described({"enum": list(words)}, description)


def _list(items: Schema, description: str = "") -> Schema:
    return _described({"type": "array", "items": items}, description)


def _words(known: Iterable[str] = ()) -> Schema:
    """Describe a word or a list of words, of some or any."""
    word: Schema = {"enum": sorted(known)} if known else TEXT
    return {"anyOf": [word, {"type": "array", "items": word, "minItems": 1, "uniqueItems": True}]}


def _number(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _duration(description: str) -> Schema:
    return _described({"$ref": "#/$defs/duration"}, description)


def _span(units: str, pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern, "description": f"A whole number and {units}, such as 24h."}


def _described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description} if description else schema
