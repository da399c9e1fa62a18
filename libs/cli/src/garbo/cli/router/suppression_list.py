"""`garbo contact suppress`: a file of people who must not be promoted to, brought whole or not at all."""

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from garbo.cli.router.contact import recipient_of
from garbo.cli.service_api import ServiceApi
from garbo.common.errors import StartRefused

ADDRESSES_AT_ONCE = 10_000


def suppress(router: ServiceApi, file: Path, *, brand: str, as_of: datetime, source: str) -> int:
    """Bring a list: one address a line, in the first column. Gives how many addresses it held.

    Raises StartRefused with the line that is no address, before anything is brought; and where the router
    stops answering amid a long list, with how many of it are in force (the same list again does the rest).
    """
    addresses = addresses_of(file)
    for start in range(0, len(addresses), ADDRESSES_AT_ONCE):
        body: dict[str, Any] = {
            "brand": brand,
            "source": source,
            "as_of": as_of.isoformat(),
            "addresses": addresses[start : start + ADDRESSES_AT_ONCE],
        }
        try:
            router.ask("POST", "/v1/suppressions", body)
        except StartRefused as refused:
            if not start:
                raise
            done = f"the first {start:,} of {len(addresses):,} addresses are in force, bring the list again"
            raise StartRefused(f"{refused}; {done}") from None
    return len(addresses)


def addresses_of(file: Path) -> list[dict[str, str]]:
    """Read every address of a list. Lines with nothing on them, and a heading, are passed over.

    A heading is the first line with something on it, when that has no digit of any script. Raises
    StartRefused for whatever else is not an address, and for a list of none.
    """
    addresses: list[dict[str, str]] = []
    is_first = True
    for number, row in _rows(file):
        if not any(cell.strip() for cell in row):
            continue
        # The reader joins a quoted cell over lines: half of one address must not meet half of the next.
        on_one_line = not any(mark in row[0] for mark in "\r\n")
        recipient = recipient_of(row[0]) if on_one_line else None
        if recipient is not None:
            addresses.append(recipient)
        elif not is_first or any(character.isnumeric() for cell in row for character in cell):
            raise StartRefused(f"{file}, line {number}: not a phone such as +393331234567, nor a user id")
        is_first = False
    if not addresses:
        raise StartRefused(f"{file} holds no address")
    return addresses


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Give each row with the number of the line it begins in."""
    number = 0
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines, strict=True)  # not strict, a quote left open swallows the rest
            for row in reader:
                yield number + 1, row
                number = reader.line_num
    except csv.Error as error:
        raise StartRefused(f"{file}, line {number + 1}: not CSV ({error})") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StartRefused(f"{file} cannot be read: {type(error).__name__}") from None
