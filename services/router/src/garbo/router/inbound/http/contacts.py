"""`/v1/contacts`: who somebody is to the router."""

from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from garbo.common.business import Client
from garbo.common.events.addresses import Recipient
from garbo.common.events.ids import ContactId
from garbo.common.runtime.auth import CallRefused, json_of, read_as, read_flag, read_json
from garbo.common.runtime.door.typed import uuid_of
from garbo.common.runtime.http import JSONBytes
from garbo.common.runtime.operations import Answer, Parameter, operation
from garbo.router.flow.commands.erase_contact import EraseContact, NotTheirsAlone
from garbo.router.flow.commands.split_contact import NotTheirsToSplit, SplitContact
from garbo.router.flow.directory import Directory
from garbo.router.flow.queries.contact import GetContact
from garbo.router.inbound.http.views.contact import (
    ContactErased,
    ContactFound,
    ContactSplit,
    ContactView,
    contact_erased,
    contact_view,
)

EXPORT_S: Final = 300.0
"""An export looks through every day that is kept."""
CONTACT_ID: Final = Parameter("contact_id", UUID, "As decisions and topics name the person.", "path")
NOBODY: Final = {404: "Nobody has this contact id."}


class Contacts:
    """Find, show, export, erase. No phone stands in a URL, and in an answer only when an admin asks."""

    def __init__(
        self, *, contacts: GetContact, erasing: EraseContact, splitting: SplitContact, directory: Directory
    ) -> None:
        self._contacts, self._erasing, self._splitting = contacts, erasing, splitting
        self._directory = directory

    @operation(
        "POST",
        "/v1/contacts:find",
        scope="read",
        body=Recipient,
        answers={200: Answer(ContactFound)},
        errors={404: "Nobody is known by this address."},
    )
    async def find_contact(self, request: Request, client: Client) -> Response:
        """Tell whose address it is.

        An address travels in the body, so that none stands in a URL or a log.
        """
        who = read_as(Recipient, read_json(request), title="Not an address")
        found = await self._contacts.find(who, self._directory.viewer(client.id))
        if found is None:
            raise CallRefused(
                404, "Nobody", "Nobody is known by this address: no message was asked for it yet."
            )
        return json_of(ContactFound(contact_id=found))

    @operation(
        "GET",
        "/v1/contacts/{contact_id}:export",
        scope="admin",
        parameters=(CONTACT_ID,),
        answers={200: Answer(dict[str, list[dict[str, Any]]], "Table by table.")},
        errors=NOBODY,
        answer_s=EXPORT_S,
    )
    async def export_contact(self, request: Request, client: Client) -> Response:
        """Give everything the router holds about a person, as far as the key's brands go."""
        held = await self._contacts.export(_contact_id(request), self._directory.viewer(client.id))
        if held is None:
            raise _unknown()
        return JSONBytes(held)

    @operation(
        "GET",
        "/v1/contacts/{contact_id}",
        scope="read",
        parameters=(CONTACT_ID, Parameter("addresses", bool, "With phone and user id.", default=False)),
        answers={200: Answer(ContactView)},
        errors={**NOBODY, 422: "`addresses` is neither true nor false."},
    )
    async def show_contact(self, request: Request, client: Client) -> Response:
        """Show a person's state: what fills each cap and when it frees, what waits, consents with proof.

        As far as the key's brands go. Addresses are shown to scope `admin` only, when asked.
        """
        addresses = read_flag(request, "addresses")
        if addresses and "admin" not in client.scopes:
            raise CallRefused(403, "Not allowed", "Addresses need the scope admin.")
        viewer = self._directory.viewer(client.id)
        overview = await self._contacts.get(_contact_id(request), viewer)
        if overview is None:
            raise _unknown()
        return json_of(contact_view(overview, viewer, addresses=addresses))

    @operation(
        "POST",
        "/v1/contacts/{contact_id}:split",
        scope="admin",
        parameters=(CONTACT_ID,),
        answers={200: Answer(ContactSplit)},
        errors={404: "No client joined the contact of this id to another one."},
    )
    async def split_contact(self, request: Request, client: Client) -> Response:
        """Make two of a person again, whom a client had joined by mistake.

        The id is the one that leads on to the other contact since; `merges` of that one names it. Addresses,
        proofs, waiting requests and grants go back to whose they were; a STOP stays with both. What the
        platform itself showed to be one stays one. The key needs all brands that have dealt with the person.
        """
        viewer = self._directory.viewer(client.id)
        try:
            parted = await self._splitting.split(_contact_id(request), viewer)
        except NotTheirsToSplit:
            detail = "Other brands have dealt with this person: only a key with all of them may split."
            raise CallRefused(403, "Not yours alone", detail) from None
        if parted is None:
            raise CallRefused(
                404, "Nothing to split", "No client joined the contact of this id to another one."
            )
        return json_of(
            ContactSplit(contact_id=parted.contact_id, parted_from=parted.into_id, said_by=parted.said_by)
        )

    @operation(
        "DELETE",
        "/v1/contacts/{contact_id}",
        scope="admin",
        parameters=(CONTACT_ID,),
        answers={200: Answer(ContactErased)},
        errors=NOBODY,
    )
    async def erase_contact(self, request: Request, client: Client) -> Response:
        """Forget a person.

        Addresses, state and waiting requests are gone at once, sender and analytics follow within 2 h;
        proofs of consent stay without the person. Who had opted out stays suppressed, by a keyed hash of the
        address alone. What is on the wire stands. The answer lists what is left, where and until when.
        A second time answers the same way. The key needs all brands that have dealt with the person.
        """
        try:
            erased = await self._erasing.erase(_contact_id(request), self._directory.viewer(client.id))
        except NotTheirsAlone:
            detail = "Other brands have dealt with this person: only a key with all of them may erase."
            raise CallRefused(403, "Not yours alone", detail) from None
        if erased is None:
            raise _unknown()
        return json_of(contact_erased(erased))


def _contact_id(request: Request) -> ContactId:
    found = uuid_of(request.path_params["contact_id"])
    if found is None:
        raise _unknown()
    return ContactId(found)


def _unknown() -> CallRefused:
    return CallRefused(
        404, "No such contact", "Nobody has this contact id; POST /v1/contacts:find finds one."
    )
