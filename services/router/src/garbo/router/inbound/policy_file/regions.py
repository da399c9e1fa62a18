"""Countries of phone numbers as a policy names them: only those a number can be of."""

import re
from typing import Annotated, Final, TypeAlias

import phonenumbers
from pydantic import AfterValidator

from garbo.router.inbound.policy_file.fields import Text, Words, wrong

NO_REGION: Final = "none"
"""Where the number does not tell."""
_MEND: Final = "must be countries in two capital letters, such as US, or none"
_MEANT: Final = {
    "UK": "GB",  # reserved for it in ISO 3166, and not its code
    "EN": "GB",
    "EL": "GR",  # the European Union's word for Greece
    "SU": "RU",
    "KO": "KR",
    "JA": "JP",
    "TP": "TL",
    "ZR": "CD",
    "AN": "CW",
    "USA": "US",
    "GBR": "GB",
    "ITA": "IT",
    "FRA": "FR",
    "DEU": "DE",
    "GER": "DE",
    "ESP": "ES",
    "PRT": "PT",
    "BRA": "BR",
    "IND": "IN",
    "CAN": "CA",
    "MEX": "MX",
}
"""What is written for a country and is no code of it, beside small letters and calling codes."""


def _meant(code: str) -> str | None:
    """Guess the country that was meant."""
    letters = code.strip().upper()
    if letters in phonenumbers.SUPPORTED_REGIONS:
        return letters
    digits = letters.removeprefix("+")
    if re.fullmatch("[1-9][0-9]{0,2}", digits):
        region = phonenumbers.region_code_for_country_code(int(digits))
        return region if region in phonenumbers.SUPPORTED_REGIONS else None
    return NO_REGION if letters == NO_REGION.upper() else _MEANT.get(letters)


def _are_regions(codes: frozenset[str]) -> frozenset[str]:
    """Refuse what no number can be of: a rule that names it would match nobody, without a word."""
    for code in sorted(codes - phonenumbers.SUPPORTED_REGIONS - {NO_REGION}):
        meant = _meant(code)
        raise wrong(
            f"{_MEND}: write {meant} for {code}" if meant else f"{_MEND}; no phone number is of {code}"
        )
    return codes


def _is_region(code: str) -> str:
    _are_regions(frozenset({code}))
    return code


Region: TypeAlias = Annotated[Text, AfterValidator(_is_region)]
"""ISO 3166 alpha-2 of a country that has phone numbers, or `none`."""
Regions: TypeAlias = Annotated[
    frozenset[str], Words(of=(*sorted(phonenumbers.SUPPORTED_REGIONS), NO_REGION), check=_are_regions)
]
"""One or several of them."""
