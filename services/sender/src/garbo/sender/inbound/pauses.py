"""`/v1/pauses`: what may not be sent now, by whom and why; pausing and resuming by hand."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final, Protocol

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from garbo.common.business import Business, Client
from garbo.common.events.instants import Instant
from garbo.common.events.pauses import PauseScope, PauseSource
from garbo.common.runtime.auth import CallRefused, json_of, read_as, read_json
from garbo.common.runtime.operations import Answer, Parameter, operation
from garbo.sender.domain.pauses import Order, Pause, PauseOrder, ResumeOrder

ALL_SOURCES: Final[tuple[PauseSource, ...]] = ("code", "platform", "operator")
_TEMPLATE: Final = re.compile(r"([0-9]{1,32}):([a-z0-9_]{1,512}|\*):([A-Za-z]{2,3}(?:_[A-Za-z0-9]{2,8})*|\*)")
_HOW: Final = {
    "account": "give the id of an account whose numbers are in the business file",
    "number": "give the platform's id of a number of the business file",
    "promo": "give the platform's id of a number of the business file",
    "template": "give account:name:language, such as 102290129340398:summer_sale:it; * for all",
    "campaign": "give brand:campaign, such as acme:summer",
}


class PauseView(BaseModel):
    """A pause that is in force."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    scope: PauseScope
    name: str
    source: PauseSource
    reason: str
    by: str
    """Who did it: an error code, a webhook field, a client."""
    since: Instant
    until: Instant | None = None
    """Absent: until somebody says so."""


class PauseList(BaseModel):
    """What may not be sent now."""

    pauses: tuple[PauseView, ...]


class PauseAsked(BaseModel):
    """Something that is not to be sent for a while."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    scope: PauseScope
    name: Annotated[str, Field(min_length=1, max_length=600)]
    """account: its id. number, promo: the number's id. template: account:name:language, `*` for all.
    campaign: brand:campaign."""
    reason: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")] = "by_hand"
    """A word for whoever looks later."""
    until: Instant | None = None
    """When it ends by itself; absent: when somebody resumes."""


class Switches(Protocol):
    """What this needs of the flow."""

    async def order(self, orders: Sequence[Order]) -> Sequence[Pause]:
        """Pause and resume; give what was ended."""
        ...

    async def in_force(self) -> Sequence[Pause]:
        """Give what is paused."""
        ...


class Listed(Protocol):
    """The business file as it is now."""

    @property
    def business(self) -> Business:
        """Give it."""
        ...


_PLACE: Final = (
    Parameter("scope", PauseScope, "What kind of thing.", place="path"),
    Parameter("name", str, "Which one, as `POST` takes it.", place="path"),
)


class PausesByHand:
    """`/v1/pauses`: scope `admin`, and only what is of the key's own brands."""

    def __init__(self, switches: Switches, listed: Listed) -> None:
        self._switches, self._listed = switches, listed

    @operation("GET", "/v1/pauses", scope="admin", answers={200: Answer(PauseList)})
    async def list_pauses(self, _: Request, client: Client) -> Response:
        """List what is paused of the key's brands, whoever paused it."""
        pauses = await self._switches.in_force()
        own = [one for one in pauses if set(client.brands) & self._brands_of(one.scope, one.name)]
        return json_of(PauseList(pauses=tuple(map(_view, own))))

    @operation(
        "POST",
        "/v1/pauses",
        scope="admin",
        body=PauseAsked,
        answers={200: Answer(PauseView)},
        errors={409: "It ended meanwhile."},
    )
    async def pause(self, request: Request, client: Client) -> Response:
        """Pause something: nothing of it begins any more, within a second, in every replica.

        Idempotent; again with another reason or end, these are in force. What waits keeps its deadline.
        """
        asked = read_as(PauseAsked, read_json(request), title="Not a pause")
        self._admit(client, asked.scope, asked.name)
        if asked.until is not None and asked.until <= datetime.now(UTC):
            raise CallRefused(422, "Not a pause", "Give an instant that is still to come.", field="until")
        order = PauseOrder(asked.scope, asked.name, "operator", asked.reason, client.id, until=asked.until)
        await self._switches.order([order])
        for one in await self._switches.in_force():
            if one.thing == (asked.scope, asked.name) and one.source == "operator":
                return json_of(_view(one))
        raise CallRefused(
            409, "Ended meanwhile", "Somebody resumed it, or its time was over: GET /v1/pauses."
        )

    @operation(
        "DELETE",
        "/v1/pauses/{scope}/{name}",
        scope="admin",
        parameters=_PLACE,
        answers={200: Answer(PauseList, "What was ended.")},
        errors={404: "It is not paused."},
    )
    async def resume(self, request: Request, client: Client) -> Response:
        """End all pauses of something, whoever paused it.

        What is still in its way is found by the next send, and pauses it again.
        """
        place = {"scope": request.path_params["scope"], "name": request.path_params["name"]}
        asked = read_as(PauseAsked, place, title="Not a pause")
        self._admit(client, asked.scope, asked.name)
        ended = await self._switches.order([ResumeOrder(asked.scope, asked.name, ALL_SOURCES, client.id)])
        if not ended:
            raise CallRefused(404, "Not paused", "GET /v1/pauses lists what is.")
        return json_of(PauseList(pauses=tuple(map(_view, ended))))

    def _admit(self, client: Client, scope: PauseScope, name: str) -> None:
        """Raise `CallRefused` for what there is not, or is not all the client's own."""
        brands = self._brands_of(scope, name)
        if not brands:
            raise CallRefused(422, "Nothing of ours", f"{_HOW[scope].capitalize()}.", field="name")
        if not brands <= set(client.brands):
            raise CallRefused(403, "Not your brand", "The key's client does not have all brands this is of.")

    def _brands_of(self, scope: PauseScope, name: str) -> set[str]:
        """Name the brands that something is of; none: there is no such thing."""
        business = self._listed.business
        match scope:
            case "number" | "promo":
                return {number.brand for number in business.numbers if number.id == name}
            case "account":
                return {number.brand for number in business.numbers if number.waba == name}
            case "template":
                template = _TEMPLATE.fullmatch(name)
                return self._brands_of("account", template[1]) if template else set()
            case "campaign":
                return {brand.id for brand in business.brands if _is_campaign_of(brand.id, name)}


def _is_campaign_of(brand: str, name: str) -> bool:
    return name.startswith(f"{brand}:") and len(name) > len(brand) + 1


def _view(pause: Pause) -> PauseView:
    return PauseView(
        scope=pause.scope,
        name=pause.name,
        source=pause.source,
        reason=pause.reason,
        by=pause.by,
        since=pause.since,
        until=pause.until,
    )
