"""The parts of a template that are given values: header, body, buttons, an offer's end, cards.

Source: Meta, Cloud API reference "Send message templates", and its pages on limited-time offers, coupons,
catalogs, multi-product messages, flows, carousels and authentication (read 2026-11).
"""

from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from garbo.common.events.base import NULL_IS_ABSENT, Part
from garbo.common.events.interactive.carousel import MAX_CARDS, refuse_same_place
from garbo.common.events.template_values import (
    MAX_CHARS,
    ActionValue,
    AnyValue,
    CouponValue,
    OfferValue,
    PayloadValue,
    ProductsValue,
    TemplateValue,
    TextValue,
    Word,
    lowered,
    said_as,
)
from garbo.common.events.vendor_object import ByType, refuse

_MAX_HEADER_CHARS: Final = 60
_DIGIT: Final = WithJsonSchema(
    {"anyOf": [{"type": "string", "pattern": "^[0-9]$"}, {"type": "integer", "minimum": 0, "maximum": 9}]}
)
_Index = Annotated[
    str, Field(pattern=r"^[0-9]$"), BeforeValidator(lambda i: str(i) if type(i) is int else i), _DIGIT
]


class TemplateHeader(Part):
    """What stands above: a text's one parameter, a file, a place or a product."""

    type: Annotated[Literal["header"], BeforeValidator(lowered), said_as("header")]
    parameters: Annotated[tuple[AnyValue, ...], Field(max_length=1), NULL_IS_ABSENT] = ()

    @model_validator(mode="after")
    def _short(self) -> Self:
        _refuse_long(self.parameters, _MAX_HEADER_CHARS, "header")
        return self


class TemplateBody(Part):
    """The parameters of the words."""

    type: Annotated[Literal["body"], BeforeValidator(lowered), said_as("body")]
    parameters: Annotated[tuple[AnyValue, ...], NULL_IS_ABSENT] = ()

    @model_validator(mode="after")
    def _short(self) -> Self:
        _refuse_long(self.parameters, MAX_CHARS, "body")
        return self


class TemplateOffer(Part):
    """When a limited-time offer ends."""

    type: Annotated[Literal["limited_time_offer"], BeforeValidator(lowered), said_as("limited_time_offer")]
    parameters: Annotated[
        tuple[Annotated[OfferValue, ByType({"limited_time_offer": OfferValue})], ...],
        Field(min_length=1, max_length=1),
    ]


class TemplateButton(Part):
    """One button, by its place from 0."""

    type: Annotated[Literal["button"], BeforeValidator(lowered), said_as("button")]
    index: _Index


class QuickReply(TemplateButton):
    """A button whose payload comes back."""

    sub_type: Annotated[Literal["quick_reply"], BeforeValidator(lowered), said_as("quick_reply")]
    parameters: Annotated[
        tuple[Annotated[PayloadValue, ByType({"payload": PayloadValue})], ...], Field(min_length=1)
    ]


class Link(TemplateButton):
    """A link: what its address ends with. So are the buttons of authentication templates given their code."""

    sub_type: Annotated[Literal["url"], BeforeValidator(lowered), said_as("url")]
    parameters: Annotated[
        tuple[Annotated[TextValue, ByType({"text": TextValue})], ...], Field(min_length=1, max_length=1)
    ]


class OneTimePassword(Link):
    """The button of an authentication template under its other name."""

    sub_type: Annotated[Literal["otp"], BeforeValidator(lowered), said_as("otp")]  # type: ignore[assignment] # another word


class CopyCode(TemplateButton):
    """A button that copies a coupon's code."""

    sub_type: Annotated[Literal["copy_code"], BeforeValidator(lowered), said_as("copy_code")]
    parameters: Annotated[
        tuple[Annotated[CouponValue, ByType({"coupon_code": CouponValue})], ...],
        Field(min_length=1, max_length=1),
    ]


class OpenFlow(TemplateButton):
    """A button that opens a flow, with a token and what it begins with."""

    sub_type: Annotated[Literal["flow"], BeforeValidator(lowered), said_as("flow")]
    parameters: Annotated[
        tuple[Annotated[ActionValue, ByType({"action": ActionValue})], ...],
        Field(min_length=1, max_length=1),
    ]


class OpenCatalog(OpenFlow):
    """A button that opens the catalog."""

    sub_type: Annotated[Literal["catalog"], BeforeValidator(lowered), said_as("catalog")]  # type: ignore[assignment] # another word


class OpenProducts(TemplateButton):
    """A button that shows some products."""

    sub_type: Annotated[Literal["mpm"], BeforeValidator(lowered), said_as("mpm")]
    parameters: Annotated[
        tuple[Annotated[ProductsValue, ByType({"action": ProductsValue})], ...],
        Field(min_length=1, max_length=1),
    ]


class OtherTemplateButton(TemplateButton):
    """A button of a kind that is not known here."""

    sub_type: Word
    parameters: Annotated[tuple[AnyValue, ...], Field(min_length=1)]


class OtherTemplateComponent(Part):
    """A part that is not known here: it goes on as it is."""

    type: Word


_BUTTONS: Final = ByType(
    {
        "quick_reply": QuickReply,
        "url": Link,
        "otp": OneTimePassword,
        "copy_code": CopyCode,
        "flow": OpenFlow,
        "catalog": OpenCatalog,
        "mpm": OpenProducts,
    },
    other=OtherTemplateButton,
    key="sub_type",
)
_ON_A_CARD: Final = ByType(
    {"header": TemplateHeader, "body": TemplateBody, "button": _BUTTONS}, other=OtherTemplateComponent
)


class TemplateCard(Part):
    """One card of a carousel, by its place from 0."""

    card_index: Annotated[int, Field(strict=True, ge=0, lt=MAX_CARDS)]
    components: tuple[Annotated[Part, _ON_A_CARD], ...]


class TemplateCarousel(Part):
    """Up to ten cards, as many as the template has."""

    type: Annotated[Literal["carousel"], BeforeValidator(lowered), said_as("carousel")]
    cards: Annotated[tuple[TemplateCard, ...], Field(min_length=1, max_length=MAX_CARDS)]

    @model_validator(mode="after")
    def _apart(self) -> Self:
        refuse_same_place(self.cards)
        return self


Component = Annotated[
    Part,
    ByType(
        {
            "header": TemplateHeader,
            "body": TemplateBody,
            "button": _BUTTONS,
            "carousel": TemplateCarousel,
            "limited_time_offer": TemplateOffer,
        },
        other=OtherTemplateComponent,
    ),
]
"""The values of one part of a template."""


def _refuse_long(values: tuple[TemplateValue, ...], most: int, kind: str) -> None:
    chars = 0
    for number, one in enumerate(values):
        chars += len(one.shown)
        if chars > most:
            why = f"must leave the {kind} at most {most} characters: shorten it"
            raise refuse(("parameters", number, one.type), why)
