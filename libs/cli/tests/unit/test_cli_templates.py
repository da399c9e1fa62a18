"""What `garbo templates` says that a message must give, in words and as the message itself."""

from datetime import UTC, datetime

import pytest

from garbo.cli.templates import content_of, summary
from garbo.common.events.content import TemplateContent
from garbo.common.events.template_observed import TemplateObserved
from garbo.common.events.template_takes import ButtonTakes, CardTakes, Takes, faults_of

AT = datetime(2026, 11, 1, 10, tzinfo=UTC)
LINK, OTP = ButtonTakes(kind="URL", needs_value=True), ButtonTakes(kind="OTP", needs_value=True)
CODE, PLAIN = ButtonTakes(kind="COPY_CODE", needs_value=True), ButtonTakes(kind="QUICK_REPLY")
CARD = CardTakes(header="IMAGE", body_values=("1",), buttons=(LINK,))
TAKES = [
    pytest.param(Takes(), "nothing", id="nothing"),
    pytest.param(Takes(header="TEXT", header_values=("1",)), "1 in the header", id="header's text"),
    pytest.param(
        Takes(header="VIDEO", body_values=("1", "2"), buttons=(PLAIN, LINK)),
        "a header video, 2 values, 1 for buttons",
        id="of each",
    ),
    pytest.param(
        Takes(named=True, body_values=("name", "order")), "2 values (name, order)", id="named values"
    ),
    pytest.param(Takes(body_values=("1",), buttons=(OTP,)), "1 value, 1 for buttons", id="a password"),
    pytest.param(Takes(buttons=(CODE,)), "1 for buttons", id="a coupon"),
    pytest.param(
        Takes(body_values=("1",), cards=(CARD, CARD)),
        "1 value, 2 cards (a header image, 1 value, 1 for buttons)",
        id="carousel",
    ),
]


@pytest.mark.parametrize(("takes", "words"), TAKES)
def test_what_it_takes_is_said_in_words(takes: Takes, words: str) -> None:
    assert summary(takes) == words


def test_what_could_not_be_read_is_said() -> None:
    assert summary(None) == "unknown"
    assert summary(Takes(offer_ends=True)) == "the offer's end"


@pytest.mark.parametrize(("takes", "words"), TAKES)
def test_message_that_is_shown_fits_the_template_and_our_own_contract(takes: Takes, words: str) -> None:
    one = TemplateObserved(waba="1", name="sale", language="it", takes=takes, observed_at=AT)
    content = TemplateContent.model_validate(content_of(one))
    assert faults_of(content.template.components, takes) == [], words
