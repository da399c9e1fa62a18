"""A place on the map, as a message of its own and above a template.

Source: Meta, Cloud API reference "Location messages" (read 2026-11).
"""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from garbo.common.events.base import Part
from garbo.common.events.shown_text import SHOWN


def _no_boolean(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic makes a fault of it
    return value


_AS_NUMBER_OR_TEXT: Final = WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]})
_Degrees = Annotated[float, BeforeValidator(_no_boolean), _AS_NUMBER_OR_TEXT]


class Location(Part):
    """Degrees north and east, as numbers or texts of numbers."""

    latitude: Annotated[_Degrees, Field(ge=-90, le=90)]
    longitude: Annotated[_Degrees, Field(ge=-180, le=180)]
    name: Annotated[str, Field(max_length=1000), SHOWN] | None = None
    address: Annotated[str, Field(max_length=1000), SHOWN] | None = None
