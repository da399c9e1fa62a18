"""Time zones: names, rules and regions as the IANA database of the `tzdata` package has them.

The one door to time zones (a lint rule refuses `zoneinfo` elsewhere): a machine's own database may be older
than the package's, and what one part of us takes for night would be day for another.
"""

from functools import cache, lru_cache
from importlib.resources import files
from typing import Annotated, Final
from zoneinfo import ZoneInfo  # noqa: TID251 - the one door

import tzdata
from pydantic import AfterValidator

TZDATA: Final[str] = tzdata.IANA_VERSION
"""The release of the rules, such as 2026f."""
_RULES: Final = "tzdata.zoneinfo"
_NO_PLACE: Final = "Factory"
"""The database's own word for "not set"."""
_LISTED_UNDER: Final = {"AC": "SH", "TA": "SH", "XK": "RS"}
"""Regions of the numbering plan without a line in zone.tab: Ascension and Tristan da Cunha keep the time of
Saint Helena, Kosovo that of Belgrade."""


@cache
def zone_names() -> frozenset[str]:
    """Give every name the installed release knows, links included. The machine's own zones do not count."""
    names = files(tzdata).joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(names) - {_NO_PLACE}


@lru_cache(maxsize=1024)
def zone_rules(name: str) -> ZoneInfo:
    """Load the rules of a zone; a name that is none is UTC (names are checked where they come in)."""
    known = name if name in zone_names() else "UTC"
    with files(_RULES).joinpath(*known.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=known)


def zones_of_region(region: str) -> tuple[str, ...]:
    """Give the zones of an ISO 3166 region in zone.tab's order; nothing for a region without any."""
    return _zone_tab().get(_LISTED_UNDER.get(region, region), ())


def zones_within(region: str, names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Give the region's own zones that are meant by `names`; None when one of these is another region's.

    Older names count for the present ones: Asia/Calcutta is Asia/Kolkata.
    """
    own = zones_of_region(region)
    by_rules = {zone_link(zone): zone for zone in reversed(own)}
    meant = {name if name in own else by_rules.get(zone_link(name)) for name in names}
    return None if None in meant else tuple(zone for zone in own if zone in meant)


def zone_link(name: str) -> str:
    """Give the name under which the database keeps a zone's rules; the same for all names of one zone."""
    return _links().get(name, name)


@cache
def _zone_tab() -> dict[str, tuple[str, ...]]:
    zones: dict[str, tuple[str, ...]] = {}
    for line in files(_RULES).joinpath("zone.tab").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            region, _, zone, *_ = line.split("\t")
            zones[region] = (*zones.get(region, ()), zone)
    return zones


@cache
def _links() -> dict[str, str]:
    lines = files(_RULES).joinpath("tzdata.zi").read_text(encoding="utf-8").splitlines()
    links = (line.split() for line in lines if line.startswith("L "))
    return {name: target for _, target, name in links}


def _known(name: str) -> str:
    if name not in zone_names():
        raise ValueError("not a known time zone: give an IANA name, such as Europe/Rome")
    return name


Zone = Annotated[str, AfterValidator(_known)]
"""An IANA time zone name, such as Europe/Rome."""
