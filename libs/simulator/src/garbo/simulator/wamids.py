"""Message ids as the platform writes them."""

from base64 import b64encode
from secrets import token_bytes


def new_wamid() -> str:
    """Mint a message id no other message has: `wamid.` and base64 of 24 bytes."""
    return "wamid." + b64encode(b"\x1c\x18\x0b" + token_bytes(21)).decode()
