"""Where a phone number is at home: its country, and the wall clocks it may live by."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import timezone

from garbo.common.events.zones import zones_of_region, zones_within

HEAD_CHARS: Final = 9
"""`+` and eight digits: area code and more. What follows tells two customers apart, not two places."""


@dataclass(frozen=True, slots=True)
class PhoneRegion:
    """Country and zones of a number; nothing where nobody knows."""

    region: str | None = None
    """ISO 3166. A calling code that countries share (+1) is told apart by the area code."""
    zones: tuple[str, ...] = ()
    """Of this region and no other: by the area code where that is known, else all of the region's."""


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
    if region not in phonenumbers.SUPPORTED_REGIONS:
        return UNKNOWN_REGION
    return PhoneRegion(region, _by_area_code(number, region) or zones_of_region(region))


def _by_area_code(number: phonenumbers.PhoneNumber, region: str) -> tuple[str, ...]:
    """Give the zones of a number's area where that is known and all of them are the region's; else none.

    What the library says of a whole calling code tells no area and knows no borders: it has Canary
    for Morocco, Paris for Algeria, and all of +1, from Guam to Pago Pago, for whom it does not know.
    """
    whole = phonenumbers.PhoneNumber(country_code=number.country_code, national_number=0)
    zones = timezone.time_zones_for_number(number)
    if set(zones) == set(timezone.time_zones_for_geographical_number(whole)):
        return ()
    return zones_within(region, zones) or ()
