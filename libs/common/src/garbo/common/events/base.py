"""What every event has in common."""

from abc import abstractmethod
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, NoReturn, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticUseDefault, core_schema

Json: TypeAlias = dict[str, Any]
"""A vendor's object, kept as it came."""

J = TypeVar("J", bound=dict[str, Any] | tuple[dict[str, Any], ...])

MAX_JSON_DEPTH: Final = 12
MAX_JSON_VALUES: Final = 2000
"""Far more than a carousel of ten cards needs."""


def bounded(value: J) -> J:
    """Give JSON back that is neither deep nor wide; raises `ValueError`, which pydantic makes a fault of."""
    level: list[Any] = [value]
    count = 0
    for _ in range(MAX_JSON_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
        count += len(level)
        if not level:
            return value
        if count > MAX_JSON_VALUES:
            raise ValueError(f"must hold at most {MAX_JSON_VALUES} values")
    raise ValueError(f"must be nested at most {MAX_JSON_DEPTH} levels deep")


def _inside(value: Any) -> Collection[Any]:  # noqa: ANN401 - JSON is any value
    match value:
        case dict():
            return value.values()
        case list() | tuple():
            return value
        case _:
            return ()


def _use_default(_: object) -> NoReturn:
    raise PydanticUseDefault


_ABSENT: Final = core_schema.chain_schema(
    [core_schema.none_schema(), core_schema.no_info_plain_validator_function(_use_default)]
)


class _NullIsAbsent:
    """Gives a field that is null its default. What is not null passes without a call of ours."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Look for null first, then read the field as before."""
        look = core_schema.union_schema([_ABSENT, core_schema.any_schema()], mode="left_to_right")
        return core_schema.chain_schema([look, handler(source)])

    def __get_pydantic_json_schema__(
        self, schema: core_schema.ChainSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the field as before: producers leave out what they do not say."""
        return handler(schema["steps"][-1])


NULL_IS_ABSENT: Final = _NullIsAbsent()
"""On every field whose default is not null itself."""


class Part(BaseModel):
    """A frozen piece of an event. Fields it does not know are ignored, so that producers can grow."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, ser_json_inf_nan="null")


class Event(Part):
    """Something that happened, as one service tells the others: one record of one topic."""

    @classmethod
    def instead_of(cls, given: Any, error: ValidationError) -> Self | None:  # noqa: ANN401, ARG003 - JSON; some look at it
        """Give what to read in place of a record that is no such event; None: it is a dead letter."""
        return None

    @property
    @abstractmethod
    def event_id(self) -> str:
        """Identify the fact (CloudEvents `id`): the same for each repetition of the same fact."""

    @property
    @abstractmethod
    def happened_at(self) -> datetime:
        """Say when it happened (CloudEvents `time`)."""
