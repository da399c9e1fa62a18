"""The values that take the places of a template's parameters, by their type.

Source: Meta, Cloud API reference "Messages" and "Send message templates", error codes 131008, 132012, 132018
(read 2026-11).
"""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema, model_validator

from garbo.common.events.base import Json, Part
from garbo.common.events.interactive.parts import SomeId
from garbo.common.events.interactive.products import ProductSections, refuse_too_many
from garbo.common.events.location import Location
from garbo.common.events.media import Bare, Unsaid
from garbo.common.events.shown_text import ON_ONE_LINE, SHOWN
from garbo.common.events.vendor_object import ByType

MAX_CHARS: Final = 1024
"""Of a template's body with its parameters in place."""
ShownValue = Annotated[str, Field(min_length=1, max_length=MAX_CHARS), SHOWN, ON_ONE_LINE]
"""A text that takes a parameter's place."""


def lowered(word: Any) -> Any:  # noqa: ANN401 - JSON
    """Give a word in the case it is compared in: the platform takes its words in any."""
    return word.lower() if isinstance(word, str) else word


def said_as(word: str) -> WithJsonSchema:
    """Describe a word that may be written small or large."""
    return WithJsonSchema({"enum": [word, word.upper()], "type": "string"})


Word = Annotated[str, BeforeValidator(lowered), Field(min_length=1)]
"""A word of the platform's that is not known here."""


class TemplateValue(Part):
    """One value of a component."""

    type: str
    parameter_name: Annotated[str, Field(min_length=1)] | None = None
    """Where the template names its parameters; else they are taken in their order."""

    @property
    def shown(self) -> str:
        """The text it puts into the message, where it is known here."""
        return ""


class TextValue(TemplateValue):
    """A text."""

    type: Annotated[Literal["text"], BeforeValidator(lowered), said_as("text")]
    text: ShownValue

    @property
    def shown(self) -> str:
        """The text."""
        return self.text


class Currency(Part):
    """An amount, and how it is written where the platform does not."""

    fallback_value: ShownValue
    code: Annotated[str, Field(pattern=r"^[A-Za-z]{3}$")]
    amount_1000: int


class CurrencyValue(TemplateValue):
    """An amount of money."""

    type: Annotated[Literal["currency"], BeforeValidator(lowered), said_as("currency")]
    currency: Currency

    @property
    def shown(self) -> str:
        """The amount, as it is written."""
        return self.currency.fallback_value


class DateTime(Part):
    """An instant, as it is written."""

    fallback_value: ShownValue


class DateTimeValue(TemplateValue):
    """An instant."""

    type: Annotated[Literal["date_time"], BeforeValidator(lowered), said_as("date_time")]
    date_time: DateTime

    @property
    def shown(self) -> str:
        """The instant, as it is written."""
        return self.date_time.fallback_value


class ImageValue(TemplateValue):
    """The image above."""

    type: Annotated[Literal["image"], BeforeValidator(lowered), said_as("image")]
    image: Bare


class VideoValue(TemplateValue):
    """The video above."""

    type: Annotated[Literal["video"], BeforeValidator(lowered), said_as("video")]
    video: Bare


class DocumentValue(TemplateValue):
    """The document above."""

    type: Annotated[Literal["document"], BeforeValidator(lowered), said_as("document")]
    document: Unsaid


class LocationValue(TemplateValue):
    """The place above."""

    type: Annotated[Literal["location"], BeforeValidator(lowered), said_as("location")]
    location: Location


class CatalogProduct(Part):
    """One product of one catalog."""

    product_retailer_id: SomeId
    catalog_id: SomeId


class ProductValue(TemplateValue):
    """The product above, or on a card."""

    type: Annotated[Literal["product"], BeforeValidator(lowered), said_as("product")]
    product: CatalogProduct


class PayloadValue(TemplateValue):
    """What a quick-reply button sends back."""

    type: Annotated[Literal["payload"], BeforeValidator(lowered), said_as("payload")]
    payload: Annotated[str, Field(min_length=1, max_length=256), SHOWN]


class CouponValue(TemplateValue):
    """The code that a button copies."""

    type: Annotated[Literal["coupon_code"], BeforeValidator(lowered), said_as("coupon_code")]
    coupon_code: Annotated[str, Field(min_length=1, max_length=20), SHOWN, ON_ONE_LINE]


class ButtonAction(Part):
    """What a flow's or a catalog's button opens, and with what."""

    flow_token: str | None = None
    flow_action_data: Json | None = None
    thumbnail_product_retailer_id: SomeId | None = None


class ActionValue(TemplateValue):
    """What a button opens."""

    type: Annotated[Literal["action"], BeforeValidator(lowered), said_as("action")]
    action: ButtonAction


class ProductsAction(Part):
    """Up to 30 products, and the one whose picture stands above."""

    thumbnail_product_retailer_id: SomeId
    sections: ProductSections

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        refuse_too_many(self.sections)
        return self


class ProductsValue(TemplateValue):
    """The products a button shows."""

    type: Annotated[Literal["action"], BeforeValidator(lowered), said_as("action")]
    action: ProductsAction


class Offer(Part):
    """When an offer ends."""

    expiration_time_ms: Annotated[int, Field(strict=True, gt=0)]
    """Milliseconds since 1970."""


class OfferValue(TemplateValue):
    """The end of a limited-time offer."""

    type: Annotated[Literal["limited_time_offer"], BeforeValidator(lowered), said_as("limited_time_offer")]
    limited_time_offer: Offer


class OtherValue(TemplateValue):
    """A type that is not known here: it goes on as it is."""

    type: Word


_TYPES: Final[dict[str, type[BaseModel]]] = {
    "text": TextValue,
    "currency": CurrencyValue,
    "date_time": DateTimeValue,
    "image": ImageValue,
    "video": VideoValue,
    "document": DocumentValue,
    "location": LocationValue,
    "product": ProductValue,
    "payload": PayloadValue,
    "coupon_code": CouponValue,
    "action": ActionValue,
    "limited_time_offer": OfferValue,
}
AnyValue = Annotated[TemplateValue, ByType(_TYPES, other=OtherValue)]
"""One value."""
