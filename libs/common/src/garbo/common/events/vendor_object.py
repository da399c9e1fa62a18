"""Objects of the platform that are kept as they came, but for what it would surely refuse."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from garbo.common.events.base import Json

_FREE: Final = frozenset({"data", "flow_action_data"})
"""Keys whose values are the business's own (what a flow begins with): a null in there is a value."""


class HeldTo:
    """Holds a vendor's object to a shape, and keeps it as it came: what the shape does not know goes on.

    Null is absent here, too: it is left out. The schema shows the shape.
    """

    def __init__(self, shape: Any) -> None:  # noqa: ANN401 - any annotation pydantic can read
        self._shape: TypeAdapter[Any] = TypeAdapter(shape)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read any object, hold it to the shape, and give it back."""
        read = self._shape.validator.validate_python

        def hold(value: Json) -> Json:
            kept: Json = _without_nulls(value)
            read(kept)
            return kept

        return core_schema.no_info_after_validator_function(hold, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the shape."""
        return _described(self._shape.core_schema, handler)


class ByType:
    """Reads an object as the model of its `type`, whatever its case; `other` reads a type not known here.

    Contents are read at each step of a message's way: a model's reader is looked up once.
    """

    def __init__(
        self,
        models: "Mapping[str, type[BaseModel] | ByType]",
        other: type[BaseModel] | None = None,
        key: str = "type",
    ) -> None:
        self._models, self._other, self._key = models, other, key
        self._readers: dict[str, Callable[[Any], Any]] = {}

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Find the model by the object's type, and read it as that."""
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe every model; an object of a type that is not known fits `other`."""
        known = [
            shape.__get_pydantic_json_schema__(schema, handler)
            if isinstance(shape, ByType)
            else _described(shape.__pydantic_core_schema__, handler)
            for shape in self._models.values()
        ]
        if self._other is None:
            return {"anyOf": known} if len(known) > 1 else known[0]
        types = {self._key: {"enum": [*self._models, *(name.upper() for name in self._models)]}}
        any_type = _described(self._other.__pydantic_core_schema__, handler)
        return {"anyOf": [*known, {"allOf": [any_type, {"not": {"properties": types}}]}]}

    def read(self, value: Any) -> Any:  # noqa: ANN401 - JSON, and one of the models
        """Read one object; raises what pydantic makes a fault of."""
        if not isinstance(value, dict):
            raise PydanticCustomError("dict_type", "must be an object")
        if (named := value.get(self._key)) is None:
            raise refuse((self._key,), "is missing: give it")
        word = named.lower() if isinstance(named, str) else ""
        reader = self._readers.get(word) or self._reader(word)
        return reader(value)

    def _reader(self, word: str) -> Callable[[Any], Any]:
        shape = self._models.get(word, self._other)
        if shape is None:
            raise refuse((self._key,), f"must be one of {', '.join(self._models)}")
        reader = shape.read if isinstance(shape, ByType) else shape.__pydantic_validator__.validate_python
        if word in self._models:  # else there would be no end to them
            self._readers[word] = reader
        return reader


def _described(schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    """Describe another schema whole: a handler by itself describes only what is inside."""
    return handler(core_schema.no_info_after_validator_function(_same, schema))


def _same(value: object) -> object:
    return value


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
