"""The policy file (`GARBO_POLICY`): YAML in, a tested `Policy` out, or all that is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final, get_args

from garbo.common.errors import StartRefused
from garbo.common.events.decisions import MessageClass
from garbo.router.domain.policy import ClassRule, Policy
from garbo.router.inbound.policy_file import settings
from garbo.router.inbound.policy_file.document import MOST_BYTES, Node, PolicyFault, read_document
from garbo.router.inbound.policy_file.fields import Fields, Findings
from garbo.router.inbound.policy_file.lint import ReadRule, lint
from garbo.router.inbound.policy_file.rates import Limits
from garbo.router.inbound.policy_file.rules import read_rule
from garbo.router.inbound.policy_file.selectors import check_values
from garbo.router.inbound.policy_file.trials import run_trials

MOST_RULES: Final = 200
MOST_CLASSES: Final = 50
MOST_TESTS: Final = 500
CLASSES: Final[tuple[MessageClass, ...]] = get_args(MessageClass)


class PolicyRefused(Exception):  # noqa: N818 - it names what was decided
    """A file that is no policy to put in force, and everything that is wrong with it."""

    def __init__(self, faults: Sequence[PolicyFault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: fault.line or 0))
        super().__init__("\n".join(self.lines()))

    def lines(self, file: str | None = None) -> list[str]:
        """Give one line for each fault: `policy.yaml:23: rule promo-week: limit: ...`."""
        return [_shown(fault, file) for fault in self.faults]


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A file that may be put in force."""

    policy: Policy
    body: str
    warnings: tuple[str, ...]
    tests: int
    """How many tests of its own it passed."""


def load_policy(path: Path) -> Policy:
    """Read the policy file. Raises `StartRefused` with all that is wrong: file, line, field, mend."""
    try:
        return load_policy_file(path).policy
    except PolicyRefused as refused:
        raise StartRefused("GARBO_POLICY is refused:\n  " + "\n  ".join(refused.lines(str(path)))) from None


def load_policy_file(path: Path) -> PolicyFile:
    """Read the policy file with what is odd about it; raises `PolicyRefused`, also when it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        fault = PolicyFault(None, "policy", "", f"cannot be read: {error.strerror}")
        raise PolicyRefused([fault]) from None
    return read_policy_file(content)


def read_policy(content: bytes) -> Policy:
    """Read, check and test a policy from the file's bytes; raises `PolicyRefused`."""
    return read_policy_file(content).policy


def read_policy_file(content: bytes) -> PolicyFile:
    """Read, check and test a policy from the file's bytes; raises `PolicyRefused` with all faults."""
    findings = Findings()
    try:
        top = Fields(read_document(content), where="policy")
    except PolicyFault as fault:
        raise PolicyRefused([fault]) from None
    tests: list[Node] = findings.tried(lambda: top.listed("tests", most=MOST_TESTS), [])
    policy = _policy(top, findings, version=f"sha256:{sha256(content).hexdigest()}")
    findings.tried(top.done, None)
    if not findings.faults:
        run_trials(tests, policy, findings)
    if findings.faults:
        raise PolicyRefused(findings.faults)
    return PolicyFile(policy, content.decode(), tuple(findings.warnings), len(tests))


def _policy(top: Fields, findings: Findings, *, version: str) -> Policy:
    """Read everything but the tests. A fault is kept and reading goes on, so that all are told at once."""
    tried, setting = findings.tried, findings.setting
    tried(lambda: top.count("version", least=1, most=1), 1)
    history_us, _ = setting(settings.read_history, top)
    zones = setting(settings.read_zones, top)
    ttl_us, skew_us, budget_us = setting(settings.read_lease, top)
    counting, codes = setting(settings.read_counting, top)
    if counting.consume != "reserved":
        findings.warnings.append(f"counting: consume: {counting.consume} lets what is on its way pass a cap")
    same_campaign, gather_us = setting(settings.read_arbitration, top)
    platform_stop, stop_words = setting(settings.read_opt_out, top)
    classes: tuple[ClassRule, ...] = tried(lambda: _classes(top, findings), ())
    limits = Limits(history_us=history_us, zone=zones.default)
    rules: list[ReadRule] = tried(lambda: _rules(top, findings, limits), [])
    return Policy(
        name=tried(lambda: top.name("policy"), ""),
        version=version,
        classes=classes,
        rules=lint(rules, zones_told=top.told("timezone"), findings=findings),
        lease_us=ttl_us,
        send_budget_us=budget_us,
        history_us=history_us,
        refund_codes=codes,
        clock_skew_us=skew_us,
        zones=zones,
        week_starts_on=setting(settings.read_week_start, top),
        counting=counting,
        same_campaign=same_campaign,
        gather_us=gather_us,
        spread_us=setting(settings.read_spread, top),
        platform_stop=platform_stop,
        stop_words=stop_words,
    )


def _classes(top: Fields, findings: Findings) -> tuple[ClassRule, ...]:
    top.must_have("classes")
    listed = top.listed("classes", most=MOST_CLASSES)
    if not listed:
        raise top.fault("classes", "must be a list with at least one class")
    read = [
        findings.tried(partial(_class, node, where=f"class {n}"), None)
        for n, node in enumerate(listed, start=1)
    ]
    return tuple(rule for rule in read if rule is not None)


def _class(node: Node, *, where: str) -> ClassRule:
    fields = Fields(node, where=where)
    message_class = fields.word("id", of=CLASSES)
    when = fields.child("when")
    fields.done()
    purposes, categories = when.words("purpose"), when.words("category")
    when.done()
    for key, values in (("purpose", purposes), ("category", categories)):
        if values:
            check_values(when, key, values)
    return ClassRule(message_class=message_class, purposes=purposes, categories=categories)


def _rules(top: Fields, findings: Findings, limits: Limits) -> list[ReadRule]:
    top.must_have("rules")
    read: list[ReadRule] = []
    for n, node in enumerate(top.listed("rules", most=MOST_RULES), start=1):
        rule = findings.tried(partial(read_rule, node, where=f"rule number {n}", limits=limits), None)
        if rule is not None:
            read.append(ReadRule(rule, node.line))
    return read


def _shown(fault: PolicyFault, file: str | None) -> str:
    place = ":".join(str(part) for part in (file, fault.line) if part is not None)
    return f"{place}: {fault}" if file else (f"line {fault.line}: {fault}" if fault.line else str(fault))
