"""The kinds of interactive messages that are known here; others go on as they are: the platform adds to them.

Source: Meta, OpenAPI description of the Business Messaging API v23, InteractiveObject; Cloud API reference
"Interactive messages" (read 2026-11).
"""

from typing import Annotated, Final

from pydantic import BaseModel, Field

from garbo.common.events.base import Part
from garbo.common.events.interactive.buttons import ButtonMessage
from garbo.common.events.interactive.carousel import CarouselMessage
from garbo.common.events.interactive.flows import FlowMessage
from garbo.common.events.interactive.links import LinkMessage
from garbo.common.events.interactive.lists import ListMessage
from garbo.common.events.interactive.products import CatalogMessage, ProductListMessage, ProductMessage
from garbo.common.events.interactive.requests import CallPermissionRequest, ContactRequest, LocationRequest
from garbo.common.events.vendor_object import ByType


class OtherMessage(Part):
    """A type that is not known here."""

    type: Annotated[str, Field(pattern=r"^[a-z_]{1,64}$")]


_KINDS: Final[dict[str, type[BaseModel]]] = {
    "button": ButtonMessage,
    "list": ListMessage,
    "cta_url": LinkMessage,
    "flow": FlowMessage,
    "product": ProductMessage,
    "product_list": ProductListMessage,
    "catalog_message": CatalogMessage,
    "carousel": CarouselMessage,
    "location_request_message": LocationRequest,
    "request_contact_info": ContactRequest,
    "call_permission_request": CallPermissionRequest,
}
Interactive = Annotated[BaseModel, ByType(_KINDS, other=OtherMessage)]
"""One interactive message, held to what its type needs."""
