"""Texts that people see: never blank.

Limits are counted in characters (Unicode code points). The platform does not say what it counts; bytes and
UTF-16 units are never fewer, so whatever has too many code points has too many of those, and what is
refused here it would surely refuse as well.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

_UNSEEN: Final = (
    r"\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Blanks, control characters, what Unicode calls default-ignorable, and two signs that are drawn empty.
Source: Unicode 15, DerivedCoreProperties.txt (Default_Ignorable_Code_Point)."""
_BREAKS: Final = r"\t\n\v\f\r\x1c-\x1e\u0085\u2028\u2029"
_BLANKS: Final = r"\p{Zs}{0,4}"
_LINE: Final = rf"^{_BLANKS}(?:[^\p{{Zs}}{_BREAKS}]+{_BLANKS})*$"


@dataclass(frozen=True, slots=True)
class Told:
    """Holds a text to a pattern, without the pattern in the fault or in the schema.

    No call of ours a text: contents are read at each step of a message's way.
    """

    pattern: str
    fault: str
    advice: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read the text as before, then match it."""
        matched = core_schema.str_schema(pattern=self.pattern)
        told = core_schema.custom_error_schema(
            matched, custom_error_type=self.fault, custom_error_message=self.advice
        )
        return core_schema.chain_schema([handler(source), told])


SHOWN: Final = Told(f"[^{_UNSEEN}]", "blank", "shows nothing: write something, or leave it out")
"""Holds a text to show something."""
ON_ONE_LINE: Final = Told(
    _LINE, "broken_line", "must hold no newline, no tab, and no more than 4 spaces in a row"
)
"""Holds a text to what the platform takes in a template's parameter (132018 otherwise)."""
Url = Annotated[str, Field(pattern=r"^https?://[^\s/?#]+\S*$", max_length=2048)]
"""A web address, 2,048 characters at most."""
PlatformId = Annotated[str, Field(pattern=r"^\S+$", max_length=512)]
"""An id the platform gave: of a message, of a file."""
