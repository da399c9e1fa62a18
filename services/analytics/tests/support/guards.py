"""A business with two brands and a key for each kind of caller, and the guard that knows them."""

from collections.abc import Sequence
from hashlib import sha256
from itertools import product
from typing import Any, Final

from garbo.analytics.inbound.http.guard import Guard
from garbo.common.business import Business
from garbo.common.runtime.door.keyless import Keyless, OpenTo

SCOPES: Final = ("publish", "read", "simulate", "admin", "link")
BRANDS: Final = ("acme", "bolt")


def key_of(brands: Sequence[str], scopes: Sequence[str], *, client: str = "own") -> str:
    """Name the key of a client with these brands and scopes."""
    return f"key-{'-'.join((client, *brands, *scopes))}"


def guard_of(open_to: OpenTo = "loopback") -> Guard:
    """Make the guard, with clients of every set of brands, with all scopes and with each of them left out."""
    return Guard(business(), Keyless(open_to))


def business() -> Business:
    """Make the business."""
    sets = (("acme",), ("bolt",), BRANDS)
    scopes = (SCOPES, *(tuple(s for s in SCOPES if s != missing) for missing in SCOPES))
    return Business.model_validate(
        {
            "brands": [
                {"id": brand, "care_number": str(number), "promo_number": str(number)}
                for number, brand in enumerate(BRANDS)
            ],
            "numbers": [
                {"id": str(number), "display": "+39 02 000000", "waba": "1", "brand": brand, "token": "t"}
                for number, brand in enumerate(BRANDS)
            ],
            "clients": [_client(b, s, name) for b, s, name in product(sets, scopes, ("own", "other"))],
        }
    )


def _client(brands: Sequence[str], scopes: Sequence[str], name: str) -> dict[str, Any]:
    key = key_of(brands, scopes, client=name)
    digest = sha256(key.encode()).hexdigest()
    return {"id": key, "keys_sha256": [digest], "brands": brands, "purposes": ["care"], "scopes": scopes}
