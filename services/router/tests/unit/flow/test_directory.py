"""Another business file is in force at once, and what it no longer lists ends what is under way well."""

from garbo.common.business import Business
from garbo.router.flow.directory import Directory
from services.router.tests.support.build import (
    CARE_NUMBER,
    OTHER_NUMBER,
    business,
    requested,
)


def without_bolt() -> Business:
    known = business()
    return business(
        brands=[one.model_dump() for one in known.brands if one.id != "bolt"],
        numbers=[one.model_dump() | {"token": "t"} for one in known.numbers if one.brand != "bolt"],
        clients=[{"id": "crm", "brands": ["acme"], "purposes": ["care", "promo"]}],
    )


def test_what_is_no_longer_listed_is_refused_and_still_known() -> None:
    directory = Directory(business())
    of_bolt = requested(brand="bolt", number=OTHER_NUMBER)
    assert directory.refusal(of_bolt) is None
    directory.take(without_bolt())
    assert directory.refusal(of_bolt) == "unknown_brand"
    assert directory.refusal(requested(client="desk")) == "unknown_client"
    assert directory.brands == ("acme",)
    assert directory.viewer("crm").has_every_brand
    assert directory.origin(of_bolt).numbers.all == (OTHER_NUMBER,)
    assert directory.language("bolt") == "en"
    directory.take(business())
    assert directory.refusal(of_bolt) is None


def test_new_brand_number_and_client_are_known_at_once() -> None:
    directory = Directory(without_bolt())
    assert directory.brand_of(OTHER_NUMBER) is None
    directory.take(business())
    assert directory.brand_of(OTHER_NUMBER) == "bolt"
    assert directory.brand_of(CARE_NUMBER) == "acme"
    assert directory.client_refusal("desk") is None
