"""A country no number can be of would match nobody: it is refused, and the right one named."""

from itertools import product
from string import ascii_uppercase

import phonenumbers
import pytest
from pydantic import TypeAdapter, ValidationError

from garbo.router.inbound.policy_file.regions import Region, Regions
from services.router.tests.support.policies import MakePolicy

REGIONS, REGION = TypeAdapter(Regions), TypeAdapter(Region)


def refusal(code: object, *, of: TypeAdapter[frozenset[str]] | TypeAdapter[str] = REGIONS) -> str:
    with pytest.raises(ValidationError) as refused:
        of.validate_python(code)
    return refused.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("UK", "GB"),
        ("uk", "GB"),
        ("it", "IT"),
        ("It", "IT"),
        ("EL", "GR"),
        ("USA", "US"),
        ("ITA", "IT"),
        ("+39", "IT"),
        ("44", "GB"),
        (" IT ", "IT"),
        ("NONE", "none"),
    ],
)
def test_the_right_code_is_named_where_it_can_be_guessed(code: str, meant: str) -> None:
    assert f"write {meant} for {code}" in refusal(code)
    assert f"write {meant} for {code}" in refusal(["US", code])
    assert meant in refusal(code, of=REGION)


@pytest.mark.parametrize("code", ["EU", "AQ", "XX", "ZZ", "001", "+999", "Europe", "٣٩", "NO NO"])
def test_a_code_of_nobody_is_refused(code: str) -> None:
    assert f"no phone number is of {code}" in refusal(code)


def test_every_pair_of_letters_is_a_country_with_numbers_or_refused() -> None:
    codes = {"".join(pair) for pair in product(ascii_uppercase, repeat=2)}
    for code in sorted(codes):
        if code in phonenumbers.SUPPORTED_REGIONS:
            assert REGIONS.validate_python(code) == {code}
        else:
            refusal(code)


@pytest.mark.parametrize(
    "code", ["UK", "uk", "EU", "[US, UK]"], ids=lambda code: code.strip("[]").replace(", ", "-")
)
@pytest.mark.parametrize("place", ["applies_to", "except"])
def test_a_policy_that_names_it_is_not_loaded(make_policy: MakePolicy, place: str, code: str) -> None:
    rule = f"id: b, type: block, state: stopped, {place}: {{ number_region: {code} }}"
    with pytest.raises(Exception, match="number_region: must be countries"):
        make_policy(rule)
