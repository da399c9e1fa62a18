"""How much later than it might a request is woken: the same for each retry, so that 09:00 is no stampede."""

from hashlib import blake2b

from garbo.router.domain.request import Request


def jitter_us(request: Request, spread_us: int) -> int:
    """Give the jitter, from 0 to `spread_us`, of a campaign's request to a person."""
    if spread_us <= 0:
        return 0
    named = f"{request.campaign or ''}|{request.contact or request.message_id}"
    digest = blake2b(named.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % spread_us
