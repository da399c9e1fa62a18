"""`garbo contact`: find a person, export and erase what is held."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from garbo.cli.service_api import ServiceApi
from garbo.common.errors import StartRefused
from garbo.common.events.addresses import Recipient


def contact_id_of(router: ServiceApi, who: str) -> str:
    """Give the contact id of a person named by it, by +phone or by user id. No address enters a URL."""
    try:
        return str(UUID(who))
    except ValueError:
        pass
    recipient = recipient_of(who)
    if recipient is None:
        raise StartRefused(f"{who!r} is neither a contact id, a phone such as +393331234567, nor a user id")
    found: dict[str, str] = router.ask("POST", "/v1/contacts:find", recipient)
    return found["contact_id"]


def recipient_of(text: str) -> dict[str, str] | None:
    """Read an address as it is written in lists: a phone in E.164, spaces allowed, or a user id."""
    plain = "".join(text.split())
    kind = "phone" if plain.startswith("+") else "user_id"
    try:
        Recipient.model_validate({kind: plain})
    except ValueError:
        return None
    return {kind: plain}


def show(router: ServiceApi, who: str, *, addresses: bool) -> Any:  # noqa: ANN401 - JSON
    """Give what the router knows of a person and what each cap says now."""
    query = "?addresses=true" if addresses else ""
    return router.ask("GET", f"/v1/contacts/{contact_id_of(router, who)}{query}")


def export(router: ServiceApi, who: str) -> Any:  # noqa: ANN401 - JSON
    """Give everything the router holds about a person."""
    return router.ask("GET", f"/v1/contacts/{contact_id_of(router, who)}:export")


def lines_of(remains: Sequence[dict[str, str]]) -> Iterator[str]:
    """Write what is left of an erased person, one place a line."""
    width = max((len(left["where"]) for left in remains), default=0)
    for left in remains:
        until = f"until {left['until'][:16].replace('T', ' ')}Z" if left.get("until") else "stays"
        yield f"  {left['where']:<{width}}  {until:<23}  {left['what']}"


def erase(router: ServiceApi, contact_id: str) -> Any:  # noqa: ANN401 - JSON
    """Erase a person; gives what was done and what is left."""
    return router.ask("DELETE", f"/v1/contacts/{contact_id}")


def split(router: ServiceApi, contact_id: str) -> Any:  # noqa: ANN401 - JSON
    """Part a contact from the one a client joined it to; gives both and the client."""
    return router.ask("POST", f"/v1/contacts/{contact_id}:split")
