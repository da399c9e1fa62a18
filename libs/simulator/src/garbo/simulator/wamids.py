"""Message ids as the platform writes them: base64 of the peer's name, and of the message's own id.

The form is that of the ids in the platform's webhooks: 1C 18, the length of the peer's name and the name
(their phone number in digits), 15 02 00, 11 or 12, 18, the length of the id and the id (upper-case hex), 00.
"""

from base64 import b64encode
from random import Random, SystemRandom
from typing import Final

TO_PEER_DIGITS: Final = 18
FROM_PEER_DIGITS: Final = 20
BITS_A_DIGIT: Final = 4


class Wamids:
    """Mints ids that no other message has. With a `seed` the same ones in each run: for one run alone."""

    def __init__(self, seed: str | None = None) -> None:
        drawn = SystemRandom().getrandbits(128) if seed is None else f"{seed}/wamids"
        self._random = Random(drawn)  # noqa: S311 - an id, not a secret

    def to_peer(self, peer: str) -> str:
        """Mint the id of a message to a person or group."""
        return _wamid(peer, b"\x11", self._drawn(TO_PEER_DIGITS))

    def from_peer(self, peer: str) -> str:
        """Mint the id of a message that a person wrote."""
        return _wamid(peer, b"\x12", self._drawn(FROM_PEER_DIGITS))

    def _drawn(self, digits: int) -> bytes:
        return b"%0*X" % (digits, self._random.getrandbits(digits * BITS_A_DIGIT))


def _wamid(peer: str, direction: bytes, own: bytes) -> str:
    name = peer.removeprefix("+").encode()
    content = b"\x1c\x18%c%b\x15\x02\x00%b\x18%c%b\x00" % (len(name), name, direction, len(own), own)
    return "wamid." + b64encode(content).decode()
