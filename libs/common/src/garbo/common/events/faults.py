"""What is wrong with a body, in JSON's words: the same at every door that reads events of the contract."""

from typing import Any, Final

from pydantic import ValidationError

Place = tuple[str | int, ...]
_INSTANT: Final = "must be an instant with its UTC offset, such as 2026-06-01T10:00:00Z"
_WORDS: Final = {
    "must be a string": ("string_type", "string_sub_type"),
    "must be a whole number": ("int_type", "int_parsing", "int_parsing_size", "int_from_float"),
    "must be a number": ("float_type", "float_parsing", "finite_number", "decimal_type", "decimal_parsing"),
    "must be true or false": ("bool_type", "bool_parsing"),
    "must be an array": ("tuple_type", "list_type", "set_type", "frozen_set_type", "iterable_type"),
    "must be an object": ("dict_type", "model_type", "model_attributes_type", "mapping_type"),
    "must be a UUID": ("uuid_parsing", "uuid_type", "uuid_version"),
    _INSTANT: ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"),
    "must carry its UTC offset, such as 2026-06-01T10:00:00+02:00 or ...Z": ("timezone_aware",),
    "is missing: give it": ("missing",),
    "is no field here: correct its name, or remove it": ("extra_forbidden",),
    "needs a type: text, template, image ...": ("union_tag_not_found",),
    "must hold at least {min_length} elements": ("too_short",),
    "must hold at most {max_length} elements": ("too_long",),
    "has a type that is not known: give one of {expected_tags}": ("union_tag_invalid",),
}
_ADVICE: Final = {kind: words for words, kinds in _WORDS.items() for kind in kinds}
_PHONES: Final = (("to", "phone"), ("same_as", "phone"))
_PHONE_ADVICE: Final = "is not a phone number: give E.164, such as +393331234567"


def advice_of(error: ValidationError) -> list[tuple[Place, str]]:
    """Say of each field what to do. Quotes no value: texts and addresses stay with the sender."""
    found = error.errors(include_input=False, include_url=False)
    wrong = {one["loc"][:steps] for one in found for steps in range(len(one["loc"]))}
    told = [one for one in found if one["type"] != "too_short" or one["loc"] not in wrong]
    return [(_place(one["loc"]), _advice(one)) for one in told]  # an array is short of its wrong elements


def _place(loc: Place) -> Place:
    """Leave out the union's tag, which pydantic puts between `content` and its own fields."""
    return (*loc[:1], *loc[2:]) if loc[:1] == ("content",) else loc


def _advice(error: Any) -> str:  # noqa: ANN401 - pydantic_core.ErrorDetails, which only its stubs export
    if error["loc"][-2:] in _PHONES and error["type"] not in ("missing", "extra_forbidden"):
        return _PHONE_ADVICE
    if advice := _ADVICE.get(error["type"]):
        return advice.format_map(error.get("ctx", {}))
    message = str(error["msg"]).removeprefix("Value error, ").replace("Input should", "must")
    return message if message.startswith("must ") else f"is wrong: {message[:1].lower()}{message[1:]}"
