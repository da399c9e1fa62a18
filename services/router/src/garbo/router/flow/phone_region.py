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
class PhoneRegion:
    """Country and zones of a number; nothing where nobody knows."""

    region: str | None = None
    """ISO 3166. A calling code that countries share (+1) is told apart by the area code."""
    zones: tuple[str, ...] = ()


UNKNOWN_REGION: Final = PhoneRegion()


def phone_region(phone: str) -> PhoneRegion:
    """Tell where a number in E.164 is at home. A look-up takes 30 us, so it is done once for an area."""
    return _place_of(phone[:HEAD_CHARS], max(0, len(phone) - HEAD_CHARS))


@lru_cache(maxsize=1 << 17)
def _place_of(head: str, rest_digits: int) -> PhoneRegion:
    try:
        number = phonenumbers.parse(head + "1" * rest_digits, None)
    except phonenumbers.NumberParseException:
        return UNKNOWN_REGION
    code = number.country_code or 0
    region = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(code)
    zones = timezone.time_zones_for_number(number)
    if UNKNOWN_ZONE in zones:  # no such number today: then those of its country
        country = phonenumbers.PhoneNumber(country_code=code, national_number=0)
        zones = timezone.time_zones_for_geographical_number(country)
    return PhoneRegion(
        region=region if region in phonenumbers.SUPPORTED_REGIONS else None,
        zones=tuple(zone for zone in zones if zone != UNKNOWN_ZONE),
    )
