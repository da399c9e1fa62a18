"""The policy file (`GARBO_POLICY`): YAML in, a tested `Policy` out, or all that is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from garbo.common.errors import StartRefused
from garbo.router.domain.policy import Policy
from garbo.router.inbound.policy_file.diagnostics import Diagnostics
from garbo.router.inbound.policy_file.document import (
    MOST_BYTES,
    Entries,
    Items,
    PolicyError,
    Value,
    read_document,
)
from garbo.router.inbound.policy_file.lint import ReadRule, refuse_together, warn_of_oddities
from garbo.router.inbound.policy_file.policy_model import (
    DEFAULT_HISTORY,
    HISTORY,
    MOST_TESTS,
    RULE,
    TEST,
    PolicyModel,
)
from garbo.router.inbound.policy_file.policy_tests import PolicyTest, run_tests

Read = TypeVar("Read")
UTC: Final = "UTC"


class PolicyRefused(Exception):  # noqa: N818 - it names what was decided
    """A file that is no policy to put in force, and everything that is wrong with it."""

    def __init__(self, errors: Sequence[PolicyError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: error.line or 0))
        super().__init__("\n".join(self.lines()))

    def lines(self, file: str | None = None) -> list[str]:
        """Give one line for each error: `policy.yaml:23: rule promo-week: limit: ...`."""
        return [_shown(error, file) for error in self.errors]


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
        raise PolicyRefused([PolicyError(None, f"policy: cannot be read: {error.strerror}")]) from None
    return read_policy_file(content)


def read_policy(content: bytes) -> Policy:
    """Read, check and test a policy from the file's bytes; raises `PolicyRefused`."""
    return read_policy_file(content).policy


def read_policy_file(content: bytes) -> PolicyFile:
    """Read, check and test a policy from the file's bytes; raises `PolicyRefused` with all errors."""
    try:
        document = read_document(content)
    except PolicyError as error:
        raise PolicyRefused([error]) from None
    diagnostics = Diagnostics(document)
    model, tests = _content(document.value, diagnostics)
    policy = model.to_policy(version=f"sha256:{sha256(content).hexdigest()}")
    _lint(model, policy, diagnostics)
    run_tests(tests, policy, diagnostics)
    if diagnostics.errors:
        raise PolicyRefused(diagnostics.errors)
    return PolicyFile(policy, content.decode(), tuple(diagnostics.warnings), len(tests))


def _content(content: Value, diagnostics: Diagnostics) -> tuple[PolicyModel, dict[int, PolicyTest]]:
    """Give the file's content, and by their index the tests that can be read; raises `PolicyRefused`.

    What is wrong is noted, and what else can be read is looked at as well, so that all is told at once.
    """
    try:
        model = PolicyModel.model_validate(content)
    except ValidationError as invalid:
        diagnostics.refuse_all(invalid)
    else:
        return model, dict(enumerate(model.tests))
    top = content if isinstance(content, Entries) else Entries()
    try:
        return PolicyModel.model_validate({**top, "tests": []}), _readable(TEST, top.get("tests"))
    except ValidationError:
        history = _read_or_none(HISTORY, top.get("history")) or DEFAULT_HISTORY
        models = _readable(RULE, top.get("rules"))
        read = [ReadRule(n, model, model.to_rule(model.reach, UTC)) for n, model in models.items()]
        refuse_together(read, diagnostics, history_us=history.us)
        raise PolicyRefused(diagnostics.errors) from None


def _lint(model: PolicyModel, policy: Policy, diagnostics: Diagnostics) -> None:
    """Look at all rules together; raises `PolicyRefused` where they contradict: no test tells more."""
    read = [ReadRule(n, *pair) for n, pair in enumerate(zip(model.rules, policy.rules, strict=True))]
    if refuse_together(read, diagnostics, history_us=policy.history_us):
        raise PolicyRefused(diagnostics.errors)
    consume = policy.counting.consume
    if consume != "reserved":
        diagnostics.warn(f"counting: consume: {consume} lets what is on its way pass a cap")
    warn_of_oddities(read, diagnostics, zones_told="timezone" in model.model_fields_set)


def _readable(kind: TypeAdapter[Read], listed: Value) -> dict[int, Read]:
    """Give the items of a list that can be read, by their index; none of a list that is too long."""
    items = listed if isinstance(listed, Items) and len(listed) <= MOST_TESTS else []
    read = [_read_or_none(kind, item) for item in items]
    return {n: item for n, item in enumerate(read) if item is not None}


def _read_or_none(kind: TypeAdapter[Read], value: Value) -> Read | None:
    try:
        return kind.validate_python(value)
    except ValidationError:
        return None


def _shown(error: PolicyError, file: str | None) -> str:
    place = ":".join(str(part) for part in (file, error.line) if part is not None)
    return f"{place}: {error}" if file else (f"line {error.line}: {error}" if error.line else str(error))
