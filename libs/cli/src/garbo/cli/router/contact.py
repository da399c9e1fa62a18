"""`garbo contact`: find a person, export and erase what is held, bring a suppression list."""

import csv
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from garbo.cli.router.api import RouterApi
from garbo.common.errors import StartRefused
from garbo.common.events.addresses import Recipient

ADDRESSES_AT_ONCE = 10_000


def contact_id_of(router: RouterApi, who: str) -> str:
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


def suppress(router: RouterApi, file: Path, *, brand: str, as_of: datetime, source: str) -> int:
    """Bring a list: one address a line, in the first column. Gives how many addresses it held.

    Raises StartRefused with the line that is no address, before anything is brought.
    """
    addresses = list(_addresses(file))
    if not addresses:
        raise StartRefused(f"{file} holds no address")
    for start in range(0, len(addresses), ADDRESSES_AT_ONCE):
        body = {
            "brand": brand,
            "source": source,
            "as_of": as_of.isoformat(),
            "addresses": addresses[start : start + ADDRESSES_AT_ONCE],
        }
        router.ask("POST", "/v1/suppressions", body)
    return len(addresses)


def _addresses(file: Path) -> Iterator[dict[str, str]]:
    for number, row in enumerate(_rows(file), start=1):
        if not row or not row[0].strip():
            continue
        recipient = recipient_of(row[0])
        if recipient is not None:
            yield recipient
        elif number > 1:  # the first line may be a heading
            raise StartRefused(f"{file}, line {number}: not a phone such as +393331234567, nor a user id")


def _rows(file: Path) -> Sequence[list[str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return list(csv.reader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StartRefused(f"{file} cannot be read: {type(error).__name__}") from None


def show(router: RouterApi, who: str, *, addresses: bool) -> Any:  # noqa: ANN401 - JSON
    """Give what the router knows of a person and what each cap says now."""
    query = "?addresses=true" if addresses else ""
    return router.ask("GET", f"/v1/contacts/{contact_id_of(router, who)}{query}")


def export(router: RouterApi, who: str) -> Any:  # noqa: ANN401 - JSON
    """Give everything the router holds about a person."""
    return router.ask("GET", f"/v1/contacts/{contact_id_of(router, who)}:export")


def erase(router: RouterApi, contact_id: str) -> Any:  # noqa: ANN401 - JSON
    """Erase a person; gives what was done."""
    return router.ask("DELETE", f"/v1/contacts/{contact_id}")
