"""Objects of the platform that are kept as they came, but for what it would surely refuse."""

from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from garbo.common.events.base import Json

_FREE: Final = frozenset({"data"})
"""Keys whose values are the business's own (a flow's data): a null in there is a value."""


@dataclass(frozen=True, slots=True)
class HeldTo:
    """Holds a vendor's object to a model, and keeps it as it came: what the model does not know goes on.

    Null is absent here, too: it is left out.
    """

    model: type[BaseModel]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read any object, hold it to the model, and give it back."""
        model = self.model

        def hold(value: Json) -> Json:
            kept: Json = _without_nulls(value)
            model.model_validate(kept)
            return kept

        return core_schema.no_info_after_validator_function(hold, handler(source))


def refuse(place: tuple[str | int, ...], why: str) -> ValidationError:
    """Make the fault of one field inside the object that is being read; raise it in its validator."""
    error = PydanticCustomError("refused", why)
    return ValidationError.from_exception_data("", [InitErrorDetails(type=error, loc=place, input=None)])


def first_twice(values: list[str]) -> int | None:
    """Find the place of the first value that stood before."""
    seen: set[str] = set()
    for place, value in enumerate(values):
        if value in seen:
            return place
        seen.add(value)
    return None


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - JSON
    match value:
        case dict():
            kept = {k: v for k, v in value.items() if v is not None}
            return {k: v if k in _FREE else _without_nulls(v) for k, v in kept.items()}
        case list() | tuple():
            return [_without_nulls(one) for one in value]
        case _:
            return value
