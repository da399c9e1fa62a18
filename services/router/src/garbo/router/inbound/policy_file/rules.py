"""One rule of the policy file, from mapping to value."""

from typing import Any, Final

from garbo.router.domain.instants import DAY_US, HOUR_US
from garbo.router.domain.policy import (
    BlockRule,
    ConsentRule,
    RateRule,
    Reach,
    Rolling,
    Rule,
    Selector,
    WindowRule,
)
from garbo.router.domain.state import REMEMBERED_SENDS
from garbo.router.inbound.policy_file.fields import Fields

APPLIES: Final = {
    "class": "message_class",
    "purpose": "purpose",
    "form": "form",
    "category": "category",
    "brand": "brand",
    "client": "client",
    "number": "number",
    "campaign": "campaign",
    "tag": "tags",
    "recipient_kind": "recipient_kind",
}
COUNTS: Final = {key: APPLIES[key] for key in ("class", "category", "brand", "campaign", "tag")}
"""What is remembered of a send."""
KNOWN_VALUES: Final = {
    "class": frozenset({"auth", "care", "utility", "promo"}),
    "purpose": frozenset({"auth", "care", "utility", "promo"}),
    "form": frozenset({"free", "template"}),
    "category": frozenset({"marketing", "utility", "authentication", "none"}),
    "recipient_kind": frozenset({"person", "group"}),
}


def read_rule(value: Any, *, where: str, history_us: int) -> Rule:  # noqa: ANN401 - YAML is any value
    """Read one rule; raises `PolicyFault`."""
    fields = Fields(value, where=where)
    fields = Fields(value, where=f"rule {fields.text('id')}")
    kind = fields.word("type", of=("block", "consent", "window", "cap", "gap"))
    reach = _reach(fields)
    rule = _rule_of(kind, fields, reach, history_us=history_us)
    fields.done()
    return rule


def read_selector(fields: Fields, name: str, keys: dict[str, str]) -> Selector:
    """Read a selector: keys AND, listed values OR, `not` of another; the empty one matches everything."""
    inner = fields.child(name)
    negated = read_selector(inner, "not", keys) if inner.has("not") else None
    terms: list[tuple[str, frozenset[str]]] = []
    for key, attribute in keys.items():
        values = inner.words(key)
        if values is None:
            continue
        unknown = values - KNOWN_VALUES.get(key, values)
        if unknown:
            raise inner.fault(key, f"{min(unknown)} is none of {', '.join(sorted(KNOWN_VALUES[key]))}")
        terms.append((attribute, values))
    inner.done()
    return Selector(terms=tuple(terms), negated=negated)


def _reach(fields: Fields) -> Reach:
    on_hit, max_defer_us = _on_hit(fields)
    hard = fields.flag("hard")
    return Reach(
        id=fields.text("id"),
        applies_to=read_selector(fields, "applies_to", APPLIES),
        exempt=read_selector(fields, "except", APPLIES) if fields.has("except") else None,
        on_hit="deny" if on_hit == "deny" else "defer",
        max_defer_us=max_defer_us,
        hard=hard,
    )


def _on_hit(fields: Fields) -> tuple[str, int | None]:
    """Read `deny`, or a mapping with `defer` (the longest wait) or `fallback: template`."""
    if not fields.has("on_hit"):
        return "defer", 72 * HOUR_US
    value = fields.take("on_hit")
    if value == "deny":
        return "deny", None
    inner = Fields(value, where=f"{fields.where}: on_hit")
    if inner.has("fallback"):
        inner.word("fallback", of=("template",))
        inner.done()
        return "deny", None
    span_us, _ = inner.duration_us("defer")
    inner.done()
    return "defer", span_us


def _rule_of(kind: str, fields: Fields, reach: Reach, *, history_us: int) -> Rule:
    match kind:
        case "block":
            erased = fields.word("state", of=("erased", "stopped")) == "erased"
            return BlockRule(reach, state="erased" if erased else "stopped")
        case "consent":
            return _consent(fields, reach)
        case "window":
            open_us, _ = fields.duration_us("open", default="24h")
            if open_us > DAY_US:
                raise fields.fault("open", "must be 24h or less: the platform closes it then")
            return WindowRule(reach, open_us=open_us)
        case "cap":
            return _cap(fields, reach, history_us=history_us)
        case _:
            span_us, text = fields.duration_us("min")
            return _rate(fields, reach, kind="gap", limit=1, span=(span_us, text), history_us=history_us)


def _consent(fields: Fields, reach: Reach) -> ConsentRule:
    double = fields.word("level", of=("single", "double"), default="single") == "double"
    return ConsentRule(
        reach,
        purpose=fields.word("purpose", of=("marketing", "utility", "care", "profiling")),
        level="double" if double else "single",
        max_age_us=fields.duration_us("max_age")[0] if fields.has("max_age") else None,
    )


def _cap(fields: Fields, reach: Reach, *, history_us: int) -> RateRule:
    limit = fields.count("limit", most=REMEMBERED_SENDS)
    window = Fields(fields.take("window"), where=f"{fields.where}: window")
    span = window.duration_us("rolling")
    window.done()
    return _rate(fields, reach, kind="cap", limit=limit, span=span, history_us=history_us)


def _rate(
    fields: Fields, reach: Reach, *, kind: str, limit: int, span: tuple[int, str], history_us: int
) -> RateRule:
    if span[0] > history_us:
        raise fields.fault("window" if kind == "cap" else "min", "is longer than history: raise history")
    per = fields.take("per") if fields.has("per") else ["recipient"]
    if per not in (["recipient"], ["recipient", "brand"]):
        raise fields.fault("per", "must be [recipient] or [recipient, brand]")
    return RateRule(
        reach,
        kind="cap" if kind == "cap" else "gap",
        limit=limit,
        window=Rolling(span[0], f"rolling {span[1]}" if kind == "cap" else f"min {span[1]}"),
        per_brand="brand" in per,
        counts=read_selector(fields, "counts", COUNTS),
    )
