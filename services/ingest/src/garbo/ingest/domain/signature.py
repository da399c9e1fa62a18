"""Is this body from the platform? HMAC-SHA256 over the raw bytes, by any of our app secrets.

Source: Meta, webhooks "validate payloads" (read 2026-11). Hash the bytes as received: the platform signs
its own escaped form, and parsing and writing again breaks that.
"""

import hmac
import re
from collections.abc import Sequence
from typing import Final

_FORM: Final = re.compile(rb"sha256=([0-9a-f]{64})")


def has_form(headers: Sequence[bytes]) -> bool:
    """Say whether these values of `X-Hub-Signature-256` may be a signature: one of the right form."""
    return len(headers) == 1 and _FORM.fullmatch(headers[0]) is not None


def signing_secret(body: bytes, headers: Sequence[bytes], secrets: Sequence[bytes]) -> int | None:
    """Tell which secret signed the body (its place in the list), or None.

    `headers` are all values of `X-Hub-Signature-256`: none, or more than one, is a refusal, and so is any
    form but `sha256=` and 64 lower-case hex digits. Each comparison takes constant time.
    """
    form = _FORM.fullmatch(headers[0]) if len(headers) == 1 else None
    if form is None:
        return None
    given = form[1]
    for index, secret in enumerate(secrets):
        if hmac.compare_digest(hmac.digest(secret, body, "sha256").hex().encode(), given):
            return index
    return None


def verify_token_matches(given: str, expected: str) -> bool:
    """Compare the handshake's token in constant time."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())
