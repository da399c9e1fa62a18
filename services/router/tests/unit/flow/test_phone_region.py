"""A phone number tells a country and its clocks, and is possible where the numbering plans say so."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from garbo.common.events.addresses import is_possible
from garbo.common.events.zones import zones_of_region
from garbo.router.flow.phone_region import PhoneRegion, phone_region


def _possible(phone: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(phone, None))
    except phonenumbers.NumberParseException:
        return False


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_phone_is_possible_when_the_numbering_plans_say_so(phone: str) -> None:
    assert is_possible(phone) == _possible(phone)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_countrys_example_numbers_are_possible(region: str) -> None:
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is not None:
            assert is_possible(phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164))


@pytest.mark.parametrize(
    ("phone", "place"),
    [
        ("+393331234567", PhoneRegion("IT", ("Europe/Rome",))),
        ("+12015550123", PhoneRegion("US", ("America/New_York",))),
        ("+16505550123", PhoneRegion("US", ("America/Los_Angeles",))),
        ("+14165550123", PhoneRegion("CA", ("America/Toronto",))),
        ("+5511987650002", PhoneRegion("BR", ("America/Sao_Paulo",))),
        ("+61262345678", PhoneRegion("AU", ("Australia/Sydney",))),
        ("+73952123456", PhoneRegion("RU", ("Asia/Irkutsk",))),
        ("+77172123456", PhoneRegion("KZ", ("Asia/Almaty",))),
        ("+18762101234", PhoneRegion("JM", ("America/Jamaica",))),
        ("+212612345678", PhoneRegion("MA", ("Africa/Casablanca",))),
        ("+213551234567", PhoneRegion("DZ", ("Africa/Algiers",))),
        ("+919876543210", PhoneRegion("IN", ("Asia/Kolkata",))),
        ("+999123456789", PhoneRegion()),
        ("+80012345678", PhoneRegion()),
        ("+1", PhoneRegion()),
    ],
)
def test_phone_number_tells_country_and_wall_clocks(phone: str, place: PhoneRegion) -> None:
    assert phone_region(phone) == place


KNOWN_BY_AREA = {
    "AU",
    "BR",
    "CA",
    "CD",
    "EC",
    "ES",
    "FM",
    "GL",
    "ID",
    "KZ",
    "MN",
    "MX",
    "NZ",
    "PF",
    "PT",
    "RU",
    "US",
}
"""Countries of several zones where the number tells the area: fewer than all of the country's are right."""
NUMBERS = sorted(
    (region, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    for region in phonenumbers.SUPPORTED_REGIONS
    for kind in phonenumbers.PhoneNumberType.values()
    if (number := phonenumbers.example_number_for_type(region, kind)) is not None
)


def test_every_region_of_the_numbering_plan_has_zones() -> None:
    assert not [region for region in phonenumbers.SUPPORTED_REGIONS if not zones_of_region(region)]


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_zones_of_a_number_are_those_of_its_region(region: str) -> None:
    for of, phone in NUMBERS:
        place = phone_region(phone)
        if of != region or place.region is None:
            continue
        whole = zones_of_region(place.region)
        assert place.zones
        assert place.zones == whole or (place.region in KNOWN_BY_AREA and {*place.zones} < {*whole}), phone


def test_each_country_told_by_area_has_numbers_that_tell_it() -> None:
    places = {phone_region(phone) for _, phone in NUMBERS}
    told = {place.region for place in places if place.region and place.zones != zones_of_region(place.region)}
    assert told == KNOWN_BY_AREA


@given(st.from_regex(r"\+(1|7|44|61|47|358|590|262|599)[0-9]{7,10}", fullmatch=True))
def test_whoever_shares_a_calling_code_has_zones_of_their_own_region(phone: str) -> None:
    place = phone_region(phone)
    assert {*place.zones} <= {*zones_of_region(place.region or "none")}
    assert bool(place.zones) == (place.region is not None)
