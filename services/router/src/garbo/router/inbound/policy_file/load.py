"""The policy file (`GARBO_POLICY`): YAML in, a checked `Policy` out, or the start is refused."""

from hashlib import sha256
from pathlib import Path
from typing import Any, Final, get_args

import yaml

from garbo.common.errors import StartRefused
from garbo.common.events.decisions import MessageClass
from garbo.router.domain.policy import ClassRule, Policy, Rule
from garbo.router.inbound.policy_file.fields import Fields, PolicyFault
from garbo.router.inbound.policy_file.rules import KNOWN_VALUES, read_rule

REFUND_CODES: Final = (131026, 131047, 131049, 131050, 131051)
"""The platform's way of saying that the person never got it (Meta, error codes, read 2026-11)."""


def load_policy(path: Path) -> Policy:
    """Read the policy file. Raises `StartRefused` with file, rule, field and how to mend it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StartRefused(f"GARBO_POLICY cannot be read: {error.strerror} ({path}).") from None
    try:
        return read_policy(content)
    except PolicyFault as fault:
        raise StartRefused(f"GARBO_POLICY ({path}): {fault}.") from None


def read_policy(content: bytes) -> Policy:
    """Read a policy from the file's bytes; raises `PolicyFault`."""
    top = Fields(_parsed(content), where="policy")
    if top.count("version", most=1) != 1:
        raise top.fault("version", "must be 1")
    history_us, _ = top.duration_us("history", default="90d")
    lease = top.child("lease")
    policy = Policy(
        name=top.text("policy"),
        version=f"sha256:{sha256(content).hexdigest()}",
        classes=_classes(top),
        rules=_rules(top, history_us=history_us),
        lease_us=lease.duration_us("ttl", default="15m")[0],
        send_budget_us=lease.duration_us("send_budget", default="45s")[0],
        history_us=history_us,
        refund_codes=_refund_codes(top.child("counting")),
    )
    lease.done()
    top.done()
    return policy


def _parsed(content: bytes) -> Any:  # noqa: ANN401 - YAML is any value
    try:
        return yaml.safe_load(content)
    except yaml.YAMLError as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        line = f"line {mark.line + 1}" if mark else "the file"
        raise PolicyFault("policy", line, "is not YAML: mend what stands there") from None


def _classes(top: Fields) -> tuple[ClassRule, ...]:
    listed = top.take("classes")
    if not isinstance(listed, list) or not listed:
        raise top.fault("classes", "must be a list with at least one class")
    return tuple(_class(Fields(item, where=f"class {n}")) for n, item in enumerate(listed, start=1))


def _class(fields: Fields) -> ClassRule:
    name = fields.word("id", of=get_args(MessageClass))
    when = fields.child("when")
    fields.done()
    purposes, categories = when.words("purpose"), when.words("category")
    when.done()
    for key, values in (("purpose", purposes), ("category", categories)):
        if values and values - KNOWN_VALUES[key]:
            raise when.fault(key, f"must be of {', '.join(sorted(KNOWN_VALUES[key]))}")
    message_class: MessageClass = name  # type: ignore[assignment] # checked by `of` above
    return ClassRule(message_class=message_class, purposes=purposes, categories=categories)


def _rules(top: Fields, *, history_us: int) -> tuple[Rule, ...]:
    listed = top.take("rules")
    if not isinstance(listed, list):
        raise top.fault("rules", "must be a list of rules")
    rules = tuple(
        read_rule(item, where=f"rule number {n}", history_us=history_us)
        for n, item in enumerate(listed, start=1)
    )
    seen: set[str] = set()
    for rule in rules:
        if rule.reach.id in seen:
            raise PolicyFault(f"rule {rule.reach.id}", "id", "is used twice: give each rule its own")
        seen.add(rule.reach.id)
    return rules


def _refund_codes(counting: Fields) -> frozenset[int]:
    codes = counting.take("refund_codes") if counting.has("refund_codes") else list(REFUND_CODES)
    if not isinstance(codes, list) or not all(type(code) is int for code in codes):
        raise counting.fault("refund_codes", "must be a list of platform error codes")
    counting.done()
    return frozenset(codes)
