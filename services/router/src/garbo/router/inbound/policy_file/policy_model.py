"""The policy file as a whole: the one definition its reader, its faults and its JSON Schema come from."""

from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from garbo.router.domain.policy import Policy
from garbo.router.inbound.policy_file.fields import Mend, Model, Name, Span, UpTo
from garbo.router.inbound.policy_file.policy_tests import PolicyTest
from garbo.router.inbound.policy_file.rates import BudgetModel, CapModel, GapModel
from garbo.router.inbound.policy_file.rules import (
    BlockModel,
    ConsentModel,
    HoldModel,
    QuietModel,
    WindowModel,
)
from garbo.router.inbound.policy_file.settings import (
    DAYS,
    Arbitration,
    ClassModel,
    CountingModel,
    Day,
    Deferral,
    Lease,
    OptOut,
    Timezone,
)

MOST_RULES: Final = 200
MOST_CLASSES: Final = 50
MOST_TESTS: Final = 500
History: TypeAlias = Annotated[Span, UpTo("400d")]
DEFAULT_HISTORY: Final = Span("90d")
AnyRule: TypeAlias = Annotated[
    BlockModel | ConsentModel | WindowModel | QuietModel | HoldModel | CapModel | GapModel | BudgetModel,
    Field(discriminator="type"),
]
"""The kinds there are, in the order of docs/policy.md."""


class PolicyModel(Model):
    """What may be sent to whom, and how often. See docs/policy.md."""

    policy: Name
    """The policy's name."""
    version: Annotated[Literal[1], Mend("must be 1: the version of this format")]
    """Of this format."""
    timezone: Timezone = Timezone()
    week_start: Day = "monday"
    """The first day of a calendar week."""
    history: History = DEFAULT_HISTORY
    """How long sends are remembered; no window is longer. 400d at most."""
    lease: Lease = Lease()
    classes: Annotated[list[ClassModel], Field(min_length=1, max_length=MOST_CLASSES)]
    """The first that matches; else promo."""
    rules: Annotated[list[AnyRule], Field(max_length=MOST_RULES)]
    """What keeps a message back, and until when."""
    counting: CountingModel = CountingModel()
    arbitration: Arbitration = Arbitration()
    deferral: Deferral = Deferral()
    opt_out: OptOut = OptOut()
    tests: list[PolicyTest] = Field(default_factory=list, max_length=MOST_TESTS)
    """Examples that must hold before the policy may be put in force."""

    def to_policy(self, *, version: str) -> Policy:
        """Give the policy that decides; `version` is the file's own."""
        return Policy(
            name=self.policy,
            version=version,
            classes=tuple(listed.to_class() for listed in self.classes),
            rules=tuple(rule.to_rule(rule.reach, self.timezone.default) for rule in self.rules),
            lease_us=self.lease.ttl.us,
            send_budget_us=self.lease.send_budget.us,
            history_us=self.history.us,
            refund_codes=frozenset(self.counting.refund_codes),
            clock_skew_us=self.lease.clock_skew.us,
            zones=self.timezone.to_zones(),
            week_starts_on=DAYS.index(self.week_start),
            counting=self.counting.to_counting(),
            same_campaign=self.arbitration.same_campaign,
            gather_us=self.arbitration.gather.us,
            spread_us=self.deferral.spread.us,
            platform_stop=self.opt_out.platform_stop,
            stop_words=tuple(sorted(self.opt_out.stop_words)),
        )


RULE: Final[TypeAdapter[AnyRule]] = TypeAdapter(AnyRule)
TEST: Final = TypeAdapter(PolicyTest)
HISTORY: Final[TypeAdapter[Span]] = TypeAdapter(History)


class _Schema(GenerateJsonSchema):
    """Pydantic's JSON Schema, without titles that repeat names and defaults a file could not hold."""

    def field_title_should_be_set(self, schema: core_schema.CoreSchema) -> bool:  # noqa: ARG002 - as pydantic asks
        """Leave the names to speak."""
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Show a default that is a word, a number or a flag."""
        shown = super().default_schema(schema)
        if not isinstance(shown.get("default"), str | int):
            shown.pop("default", None)
        return shown


def policy_schema() -> dict[str, Any]:
    """Give what an editor completes and underlines; lint and the tests of a file say the rest."""
    schema = PolicyModel.model_json_schema(schema_generator=_Schema)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "title": "Garbo policy"}
