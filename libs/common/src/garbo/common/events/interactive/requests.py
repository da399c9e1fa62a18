"""Questions the app itself asks: where the person is, their phone number, whether they may be called.

Source: Meta, Cloud API reference "Location request messages", "User call permission requests" and
"Business-scoped user IDs" (read 2026-11).
"""

from typing import Literal

from garbo.common.events.base import Part
from garbo.common.events.interactive.parts import Header, MessageBody, MessageFooter, WithBody


class LocationAction(Part):
    """Asks for a place."""

    name: Literal["send_location"]


class LocationRequest(WithBody):
    """Asks where the person is."""

    type: Literal["location_request_message"]
    action: LocationAction


class ContactAction(Part):
    """Asks for a number."""

    name: Literal["request_contact_info"]


class ContactRequest(WithBody):
    """Asks for the person's phone number, where only their user id is known."""

    type: Literal["request_contact_info"]
    action: ContactAction


class CallAction(Part):
    """Asks for a permission."""

    name: Literal["call_permission_request"]


class CallPermissionRequest(Part):
    """Asks whether the business may call."""

    type: Literal["call_permission_request"]
    header: Header | None = None
    body: MessageBody | None = None
    footer: MessageFooter | None = None
    action: CallAction
