"""Two to ten cards side by side: images or videos with a link or buttons, or products.

Source: Meta, Cloud API reference "Interactive media carousel messages" and "Product carousel messages"
(read 2026-11).
"""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from garbo.common.events.base import Part
from garbo.common.events.interactive.buttons import refuse_twins
from garbo.common.events.interactive.links import LinkParameters
from garbo.common.events.interactive.parts import FileHeader, MessageBody, NotShown, ReplyId, SomeId, Title
from garbo.common.events.shown_text import SHOWN
from garbo.common.events.vendor_object import refuse

MAX_CARDS: Final = 10
_MAX_BREAKS: Final = 2


class CardBody(Part):
    """The words of a card."""

    text: Annotated[str, Field(min_length=1, max_length=160), SHOWN]

    @model_validator(mode="after")
    def _short(self) -> Self:
        if self.text.count("\n") > _MAX_BREAKS:
            raise refuse(("text",), f"must hold at most {_MAX_BREAKS} line breaks")
        return self


class CardReply(Part):
    """What a card's button says, and sends back."""

    id: ReplyId
    title: Title


class CardButton(Part):
    """A button of a card."""

    type: Literal["quick_reply"]
    quick_reply: CardReply


class CardAction(Part):
    """Exactly one of a link, some buttons, and a product."""

    name: Literal["cta_url"] | None = None
    parameters: LinkParameters | None = None
    buttons: Annotated[tuple[CardButton, ...], Field(min_length=1)] | None = None
    catalog_id: SomeId | None = None
    product_retailer_id: SomeId | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        given = [field for field in ("parameters", "buttons", "product_retailer_id") if getattr(self, field)]
        if len(given) != 1:
            raise refuse((), "must hold exactly one of parameters (a link), buttons, product_retailer_id")
        if self.parameters and self.name is None:
            raise refuse(("name",), "must be cta_url")
        if self.product_retailer_id and self.catalog_id is None:
            raise refuse(("catalog_id",), "is missing: a product needs it")
        refuse_twins([button.quick_reply for button in self.buttons or ()], "quick_reply")
        return self

    @property
    def offers(self) -> tuple[str, int]:
        """What is pressed, and how many of it: the same on each card."""
        if self.buttons:
            return "buttons", len(self.buttons)
        return ("parameters" if self.parameters else "product_retailer_id"), 1


class CarouselCard(Part):
    """One card, at its place from 0."""

    card_index: Annotated[int, Field(strict=True, ge=0, lt=MAX_CARDS)]
    type: Literal["cta_url", "product"] | None = None
    header: FileHeader | None = None
    body: CardBody | None = None
    action: CardAction

    @model_validator(mode="after")
    def _complete(self) -> Self:
        shows_product = self.action.product_retailer_id is not None
        if self.header is None and not shows_product:
            raise refuse(("header",), "is missing: a card needs an image or a video")
        if self.header is not None and shows_product:
            raise refuse(("header",), "is not shown on a product's card: leave it out")
        return self


class CarouselAction(Part):
    """The cards, alike: each with as many buttons of the same kind."""

    cards: Annotated[tuple[CarouselCard, ...], Field(min_length=2, max_length=MAX_CARDS)]

    @model_validator(mode="after")
    def _alike(self) -> Self:
        refuse_same_place(self.cards)
        first = self.cards[0].action.offers
        for number, card in enumerate(self.cards):
            if card.action.offers != first:
                why = "must offer as many buttons of the same kind as the first card"
                raise refuse(("cards", number, "action"), why)
        return self


class CarouselMessage(Part):
    """A message of cards: nothing stands above or below them but the body."""

    type: Literal["carousel"]
    header: NotShown = None
    body: MessageBody
    footer: NotShown = None
    action: CarouselAction


def refuse_same_place(cards: tuple[Any, ...]) -> None:
    """Refuse two cards with the same `card_index`."""
    seen: set[int] = set()
    for number, card in enumerate(cards):
        if card.card_index in seen:
            raise refuse(("cards", number, "card_index"), "stands twice: give each card its own")
        seen.add(card.card_index)
