"""What a server keeps of a password under SCRAM (RFC 5802): nothing from which it can be told.

Made here, so that no statement, log or argument of a program ever holds the password itself.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Final

from garbo.common.errors import StartRefused

ITERATIONS: Final = 4096
"""The default of PostgreSQL and the least of Kafka. Passwords drawn by a machine need no more."""
SALT_BYTES: Final = 16


def salted_password(password: str, salt: bytes, *, algorithm: str) -> bytes:
    """Give Hi(password, salt, i) for `sha256` or `sha512`. Raises `StartRefused` for characters beyond ASCII.

    RFC 4013 would prepare those; for ASCII it changes nothing.
    """
    if not password or not (password.isascii() and password.isprintable()):
        raise StartRefused("a password should be of printable ASCII: make one with openssl rand -hex 24")
    return hashlib.pbkdf2_hmac(algorithm, password.encode(), salt, ITERATIONS)


def postgres_verifier(password: str) -> str:
    """Give what PostgreSQL stores for a password, as `ALTER ROLE … PASSWORD` takes it."""
    salt = secrets.token_bytes(SALT_BYTES)
    salted = salted_password(password, salt, algorithm="sha256")
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    as_text = (base64.b64encode(part).decode() for part in (salt, stored_key, server_key))
    return "SCRAM-SHA-256${}:{}${}:{}".format(ITERATIONS, *as_text)
