"""What the platform's list says of a template, read into what a message must give."""

from datetime import UTC, datetime
from typing import Any

import pytest

from garbo.common.events.template_takes import ButtonTakes, CardTakes, Takes
from garbo.sender.domain.template_components import read_template, takes_of

AT = datetime(2026, 11, 1, 10, tzinfo=UTC)
OTP_URL = "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}"


def body(text: str) -> dict[str, Any]:
    return {"type": "BODY", "text": text}


@pytest.mark.parametrize(
    ("components", "declared", "takes"),
    [
        pytest.param([body("Hello.")], "POSITIONAL", Takes(), id="fixed"),
        pytest.param(
            [body("{{1}} and {{2}}, {{1}} again")],
            "POSITIONAL",
            Takes(body_values=("1", "2")),
            id="by place, one twice",
        ),
        pytest.param(
            [{"type": "HEADER", "format": "TEXT", "text": "Hi {{ name }}"}, body("{{order}}")],
            "NAMED",
            Takes(named=True, header="TEXT", header_values=("name",), body_values=("order",)),
            id="by name",
        ),
        pytest.param([body("{{order}}")], None, Takes(named=True, body_values=("order",)), id="names untold"),
        pytest.param(
            [{"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["x"]}}],
            "POSITIONAL",
            Takes(header="IMAGE"),
            id="picture",
        ),
        pytest.param(
            [
                body("{{1}} is your code."),
                {"type": "FOOTER", "text": "{{not}} a value"},
                {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Copy", "url": OTP_URL}]},
            ],
            "POSITIONAL",
            Takes(body_values=("1",), buttons=(ButtonTakes(kind="URL", needs_value=True),)),
            id="code",
        ),
        pytest.param(
            [
                {
                    "type": "BUTTONS",
                    "buttons": [
                        {"type": "QUICK_REPLY", "text": "Yes"},
                        {"type": "URL", "url": "https://example.com"},
                        {"type": "COPY_CODE"},
                        {"type": "PHONE_NUMBER", "phone_number": "+390000"},
                        {"text": "no type"},
                    ],
                }
            ],
            "POSITIONAL",
            Takes(
                buttons=(
                    ButtonTakes(kind="QUICK_REPLY"),
                    ButtonTakes(kind="URL"),
                    ButtonTakes(kind="COPY_CODE", needs_value=True),
                    ButtonTakes(kind="PHONE_NUMBER"),
                    ButtonTakes(kind="UNKNOWN"),
                )
            ),
            id="buttons",
        ),
        pytest.param(
            [
                body("See {{1}}"),
                {
                    "type": "CAROUSEL",
                    "cards": [{"components": [{"type": "HEADER", "format": "VIDEO"}, body("{{1}}")]}] * 2,
                },
            ],
            "POSITIONAL",
            Takes(
                body_values=("1",),
                cards=(CardTakes(header="VIDEO", body_values=("1",)),) * 2,
            ),
            id="carousel",
        ),
        pytest.param(
            [{"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "x", "has_expiration": True}}],
            "POSITIONAL",
            Takes(offer_ends=True),
            id="offer",
        ),
        pytest.param([1, {"type": 7}, {"type": "BODY", "text": None}], "POSITIONAL", Takes(), id="odd"),
        pytest.param(None, "POSITIONAL", None, id="not shown"),
    ],
)
def test_components_say_what_a_message_must_give(
    components: object, declared: str | None, takes: Takes | None
) -> None:
    assert takes_of(components, declared=declared) == takes


def test_entry_of_the_list_is_read_with_state_and_quality() -> None:
    item = {
        "id": "1",
        "name": "sale",
        "language": "en-US",
        "category": "marketing",
        "status": "APPROVED",
        "quality_score": {"score": "GREEN", "date": 1},
    }
    read = read_template(item, waba="9001", at=AT)
    assert read is not None
    assert (read.key, read.category, read.status) == ("9001:sale:en_US", "MARKETING", "APPROVED")
    assert (read.quality, read.takes, read.observed_at) == ("GREEN", None, AT)


@pytest.mark.parametrize("item", [None, [], {"name": "x"}, {"name": 1, "language": "it"}, {"language": "it"}])
def test_entry_without_name_and_language_is_none(item: object) -> None:
    assert read_template(item, waba="9001", at=AT) is None
