"""Where a phone number is at home: its country, and the wall clocks it may live by."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import timezone

HEAD_CHARS: Final = 9
"""`+` and eight digits: area code and more. What follows tells two customers apart, not two places."""
UNKNOWN_ZONE: Final = "Etc/Unknown"


@dataclass(frozen=True, slots=True)
class Place:
    """Country and zones of a number; nothing where nobody knows."""

    region: str | None = None
    """ISO 3166. A calling code that countries share (+1) is told apart by the area code."""
    zones: tuple[str, ...] = ()


NOWHERE: Final = Place()


def place_of(phone: str) -> Place:
    """Tell where a number in E.164 is at home. A look-up takes 30 us, so it is done once for an area."""
    return _place_of(phone[:HEAD_CHARS], max(0, len(phone) - HEAD_CHARS))


@lru_cache(maxsize=1 << 17)
def _place_of(head: str, rest_digits: int) -> Place:
    try:
        number = phonenumbers.parse(head + "1" * rest_digits, None)
    except phonenumbers.NumberParseException:
        return NOWHERE
    code = number.country_code or 0
    region = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(code)
    zones = timezone.time_zones_for_number(number)
    if UNKNOWN_ZONE in zones:  # no such number today: then those of its country
        country = phonenumbers.PhoneNumber(country_code=code, national_number=0)
        zones = timezone.time_zones_for_geographical_number(country)
    return Place(
        region=region if region in phonenumbers.SUPPORTED_REGIONS else None,
        zones=tuple(zone for zone in zones if zone != UNKNOWN_ZONE),
    )
