"""Values made by the thousand: immutable, compared by what they hold, built and changed outside Python.

What is made anew for each request is a `Value`; a policy, which is read once, stays a dataclass (ADR 0011).
"""

from typing import TYPE_CHECKING

from msgspec import Struct, field, structs

__all__ = ["Stored", "Value", "field", "replace"]


class Value(Struct, frozen=True):
    """What a request, a person or a decision is written as. Subclasses say `frozen=True` for mypy."""


class Stored(Value, frozen=True, omit_defaults=True, rename=lambda name: name.removesuffix("_us")):
    """What is stored as JSON as well: the unsaid is left out, and instants are called without their unit."""


if TYPE_CHECKING:
    from dataclasses import replace  # so that names and types of the fields are checked
else:
    replace = structs.replace
