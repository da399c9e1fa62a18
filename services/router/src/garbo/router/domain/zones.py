"""A person's wall clocks: which they live by, and what these show."""

from datetime import datetime, timedelta
from typing import Final

from garbo.common.events.zones import zone_names, zone_rules
from garbo.router.domain.policy_settings import Zones

RECIPIENT_ZONE: Final = "recipient"
"""In place of an IANA name: the zone (or zones) of the person asked about."""
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - zoneinfo wants UTC without a mark
_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST_US: Final = (datetime(2, 1, 1) - _EPOCH) // _MICROSECOND  # noqa: DTZ001
_LAST_US: Final = (datetime(9990, 1, 1) - _EPOCH) // _MICROSECOND  # noqa: DTZ001


def local_time(zone: str, at_us: int) -> datetime:
    """Tell the wall clock of an instant, with its fold. Before year 2 and after 9989 it stands still."""
    utc = _EPOCH + timedelta(microseconds=min(max(at_us, _FIRST_US), _LAST_US))
    rules = zone_rules(zone)
    return rules.fromutc(utc.replace(tzinfo=rules))


def utc_us(zone: str, wall: datetime, *, fold: int) -> int:
    """Tell the instant of a (naive) wall time, by the offset before (fold 0) or after (1) a change."""
    offset = wall.replace(tzinfo=zone_rules(zone), fold=fold).utcoffset() or timedelta(0)
    return (wall - _EPOCH - offset) // _MICROSECOND


def zones_of(policy: Zones, *, contact: str | None, country: tuple[str, ...]) -> tuple[str, ...]:
    """Tell a person's wall clocks: of the first source that knows one, else the policy's own.

    A country may have several; with `strictest` an instant must be permitted by each of them.
    """
    for source in policy.sources:
        named = (contact,) if source == "contact" else country
        known = tuple(name for name in named if name is not None and name in zone_names())
        if known:
            return known if policy.strictest else known[:1]
    return (policy.default,)


def wall_clocks(zone: str, zones: tuple[str, ...]) -> tuple[str, ...]:
    """Tell the clocks a rule goes by: its own zone, or those of the person."""
    return zones if zone == RECIPIENT_ZONE else (zone,)
