"""`/v1/suppressions`: lists of people who must not be promoted to."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from garbo.common.business import Client
from garbo.common.events.addresses import Recipient
from garbo.common.events.ids import address_hash
from garbo.common.events.instants import Instant
from garbo.common.events.requests import Name
from garbo.common.runtime.auth import CallRefused, json_of, read_as, read_json
from garbo.common.runtime.operations import Answer, operation
from garbo.router.domain.instants import to_us
from garbo.router.flow.commands.import_suppressions import ImportSuppressions, SuppressionEntry
from garbo.router.flow.directory import Directory
from garbo.router.inbound.http.views.view import View
from garbo.router.ports.contacts import Address

MOST_ADDRESSES: Final = 10_000
ANSWER_S: Final = 60.0


class SuppressionList(BaseModel):
    """People who must not be promoted to, as of an instant: a later opt-in of theirs outweighs the list."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    brand: Name | Literal["*"]
    """Whose promos; `*` for all brands."""
    source: Name
    """Where the list comes from."""
    as_of: Instant
    """The list's date."""
    addresses: Annotated[tuple[Recipient, ...], Field(min_length=1, max_length=MOST_ADDRESSES)]
    """Phones, user ids or groups; a contact id is no address."""


class ListTaken(View):
    """A list that is in force."""

    addresses: int
    known: int
    """Of people the router knew already; the others meet the list when they are first written to."""


class Suppressions:
    """`POST /v1/suppressions`: scope `admin`. Idempotent."""

    def __init__(self, *, suppress: ImportSuppressions, directory: Directory, hash_key: bytes) -> None:
        self._suppress, self._directory, self._hash_key = suppress, directory, hash_key

    @operation(
        "POST",
        "/v1/suppressions",
        scope="admin",
        body=SuppressionList,
        answers={200: Answer(ListTaken)},
        answer_s=ANSWER_S,
    )
    async def suppress(self, request: Request, client: Client) -> Response:
        """Bring a list of people who must not be promoted to.

        Idempotent: after a failure the same list again does the rest. Addresses are kept as keyed hashes.
        """
        told = read_as(SuppressionList, read_json(request), title="Not a list")
        if not self._directory.viewer(client.id).speaks_for(told.brand):
            raise CallRefused(
                403, "Not your brand", "The key's client does not have this brand; * needs them all."
            )
        since_us = to_us(told.as_of)
        listed = [
            SuppressionEntry(self._address(who, place), told.brand, since_us, told.source)
            for place, who in enumerate(told.addresses)
        ]
        known = await self._suppress.take(listed)
        return json_of(ListTaken(addresses=len(listed), known=known))

    def _address(self, who: Recipient, place: int) -> Address:
        if who.address is None:
            raise CallRefused(
                422, "Not an address", "Give a phone or a user id: a list outlives people.", index=place
            )
        kind, value = who.address
        return Address(kind=kind, value=value, hash=address_hash(self._hash_key, kind, value))
