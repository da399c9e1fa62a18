"""`/v1/contacts`: who somebody is to the router."""

from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from garbo.common.business import Client
from garbo.common.events.addresses import Recipient
from garbo.common.events.ids import ContactId
from garbo.common.runtime.http import JSONBytes
from garbo.router.flow.commands.erase_contact import EraseContact
from garbo.router.flow.queries.contact import GetContact
from garbo.router.inbound.http.auth import Auth, Refusal, json_of, read_as, read_json
from garbo.router.inbound.http.views.contact import ContactErased, ContactFound, contact_view

EXPORT_S: Final = 300.0
"""An export looks through every day that is kept."""


class Contacts:
    """Find, show, export, erase. No phone stands in a URL, and in an answer only when an admin asks."""

    def __init__(self, *, contacts: GetContact, erasing: EraseContact) -> None:
        self._contacts, self._erasing = contacts, erasing

    def routes(self, door: Auth) -> list[Route]:
        """Give the routes."""
        return [
            door.route("POST", "/v1/contacts:find", "read", self.find),
            door.route("GET", "/v1/contacts/{contact_id}:export", "admin", self.export, answer_s=EXPORT_S),
            door.route("GET", "/v1/contacts/{contact_id}", "read", self.show),
            door.route("DELETE", "/v1/contacts/{contact_id}", "admin", self.erase),
        ]

    async def find(self, request: Request, _: Client) -> Response:
        """Give the contact id of an address."""
        who = read_as(Recipient, await read_json(request), title="Not an address")
        found = await self._contacts.find(who)
        if found is None:
            raise Refusal(404, "Nobody", "Nobody is known by this address: no message was asked for it yet.")
        return json_of(ContactFound(contact_id=found))

    async def show(self, request: Request, client: Client) -> Response:
        """Show state, caps and consents, as far as the key's brands go."""
        addresses = request.query_params.get("addresses", "false").lower() == "true"
        if addresses and "admin" not in client.scopes:
            raise Refusal(403, "Not allowed", "Addresses need the scope admin.")
        overview = await self._contacts.get(_contact_id(request), brands=client.brands)
        if overview is None:
            raise _unknown()
        return json_of(contact_view(overview, brands=client.brands, addresses=addresses))

    async def export(self, request: Request, _: Client) -> Response:
        """Give everything that is held about a person."""
        held = await self._contacts.export(_contact_id(request))
        if held is None:
            raise _unknown()
        return JSONBytes(held)

    async def erase(self, request: Request, _: Client) -> Response:
        """Forget a person; a second time answers the same way."""
        erased = await self._erasing.erase(_contact_id(request))
        if erased is None:
            raise _unknown()
        return json_of(
            ContactErased(
                contact_id=erased.contact_id, addresses=erased.addresses, suppressed=erased.suppressed
            )
        )


def _contact_id(request: Request) -> ContactId:
    try:
        return ContactId(UUID(request.path_params["contact_id"]))
    except ValueError:
        raise _unknown() from None


def _unknown() -> Refusal:
    return Refusal(404, "No such contact", "Nobody has this contact id; POST /v1/contacts:find finds one.")
