"""Products of a catalog: one, some, or the catalog itself.

Source: Meta, OpenAPI description of the Business Messaging API v23, ActionObject and SectionObject; Cloud API
reference "Catalog messages" for what may be left out (read 2026-11).
"""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from garbo.common.events.base import Part
from garbo.common.events.interactive.lists import SectionTitle, refuse_untitled
from garbo.common.events.interactive.parts import (
    LineHeader,
    MessageBody,
    MessageFooter,
    NotShown,
    SomeId,
    WithBody,
)
from garbo.common.events.vendor_object import refuse

MAX_PRODUCTS: Final = 30
"""Over all sections of a message."""


class ListedProduct(Part):
    """One product of a catalog."""

    product_retailer_id: SomeId


class ProductSection(Part):
    """Some products under one title."""

    title: SectionTitle | None = None
    product_items: Annotated[tuple[ListedProduct, ...], Field(min_length=1, max_length=MAX_PRODUCTS)]


ProductSections = Annotated[tuple[ProductSection, ...], Field(min_length=1, max_length=10)]


class ProductAction(Part):
    """Which product of which catalog."""

    catalog_id: SomeId
    product_retailer_id: SomeId


class ProductMessage(Part):
    """A message that shows one product: its picture stands above, nothing else."""

    type: Literal["product"]
    header: NotShown = None
    body: MessageBody | None = None
    footer: MessageFooter | None = None
    action: ProductAction


class ProductListAction(Part):
    """Up to 30 products of a catalog."""

    catalog_id: SomeId
    sections: ProductSections

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        refuse_too_many(self.sections)
        return self


class ProductListMessage(Part):
    """A message that shows some products."""

    type: Literal["product_list"]
    header: LineHeader
    body: MessageBody
    footer: MessageFooter | None = None
    action: ProductListAction


class CatalogParameters(Part):
    """Which product's picture stands above; else the catalog's first."""

    thumbnail_product_retailer_id: SomeId | None = None


class CatalogAction(Part):
    """The whole catalog."""

    name: Literal["catalog_message"]
    parameters: CatalogParameters | None = None


class CatalogMessage(WithBody):
    """A message that opens the catalog."""

    type: Literal["catalog_message"]
    action: CatalogAction


def refuse_too_many(sections: tuple[ProductSection, ...]) -> None:
    """Refuse sections without a title among several, and more products in all than one message shows."""
    refuse_untitled(sections)
    if sum(len(section.product_items) for section in sections) > MAX_PRODUCTS:
        raise refuse(("sections",), f"must hold at most {MAX_PRODUCTS} product_items in all")
