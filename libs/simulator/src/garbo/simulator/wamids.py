"""Message ids as the platform writes them: base64 of the peer's name, and of the message's own id.

The form is that of the ids in the platform's webhooks: 1C 18, the length of the peer's name and the name
(their phone number in digits), 15 02 00, 11 or 12, 18, the length of the id and the id (upper-case hex), 00.
"""

from base64 import b64encode
from secrets import token_hex
from typing import Final

TO_PEER_DIGITS: Final = 18
FROM_PEER_DIGITS: Final = 20


def wamid_to(peer: str) -> str:
    """Mint the id of a message to a person or group; no other message has it."""
    return _wamid(peer, b"\x11", digits=TO_PEER_DIGITS)


def wamid_from(peer: str) -> str:
    """Mint the id of a message that a person wrote; no other message has it."""
    return _wamid(peer, b"\x12", digits=FROM_PEER_DIGITS)


def _wamid(peer: str, direction: bytes, *, digits: int) -> str:
    name, own = peer.removeprefix("+").encode(), token_hex(digits // 2).upper().encode()
    content = b"\x1c\x18%c%b\x15\x02\x00%b\x18%c%b\x00" % (len(name), name, direction, len(own), own)
    return "wamid." + b64encode(content).decode()
