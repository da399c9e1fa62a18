"""A phone number tells a country and its clocks, and is possible where the numbering plans say so."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from garbo.common.events.addresses import Recipient
from garbo.router.flow.phone_region import PhoneRegion, phone_region


def _possible(phone: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(phone, None))
    except phonenumbers.NumberParseException:
        return False


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_phone_is_possible_when_the_numbering_plans_say_so(phone: str) -> None:
    try:
        Recipient(phone=phone)
    except ValidationError:
        assert not _possible(phone)
    else:
        assert _possible(phone)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_countrys_example_numbers_are_possible(region: str) -> None:
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is not None:
            Recipient(phone=phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164))


@pytest.mark.parametrize(
    ("phone", "place"),
    [
        ("+393331234567", PhoneRegion("IT", ("Europe/Rome", "Europe/Vatican"))),
        ("+12015550123", PhoneRegion("US", ("America/New_York",))),
        ("+14165550123", PhoneRegion("CA", ("America/Toronto",))),
        ("+56912345678", PhoneRegion("CL", ("America/Santiago",))),
        ("+999123456789", PhoneRegion()),
        ("+1", PhoneRegion()),
    ],
)
def test_phone_number_tells_country_and_wall_clocks(phone: str, place: PhoneRegion) -> None:
    assert phone_region(phone) == place
