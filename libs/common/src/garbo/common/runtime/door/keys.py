"""Whose API key came with a request: one reader for every service."""

import re
from collections.abc import Iterable
from typing import Final

_BEARER: Final = re.compile(rb"(?i:bearer) +([!-~]{8,256})")


def bearer_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Give the key of the `Authorization` header; None without exactly one of the form `Bearer <key>`.

    Of two headers none counts: what stands before us may have looked at the other one.
    """
    given = [value for name, value in headers if name == b"authorization"]
    form = _BEARER.fullmatch(given[0]) if len(given) == 1 else None
    return form[1].decode("ascii") if form else None
