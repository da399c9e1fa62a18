"""Names of time zones, as the IANA database of the `tzdata` package knows them."""

from functools import cache
from importlib.resources import files
from typing import Annotated, Final

import tzdata
from pydantic import AfterValidator

_NO_PLACE: Final = "Factory"
"""The database's own word for "not set"."""


@cache
def zone_names() -> frozenset[str]:
    """Give every name the installed release knows, links included. The machine's own zones do not count."""
    names = files(tzdata).joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(names) - {_NO_PLACE}


def _known(name: str) -> str:
    if name not in zone_names():
        raise ValueError("not a known time zone: give an IANA name, such as Europe/Rome")
    return name


Zone = Annotated[str, AfterValidator(_known)]
"""An IANA time zone name, such as Europe/Rome."""
