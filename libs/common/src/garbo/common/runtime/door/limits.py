"""How much one connection, one address and all strangers together may take of a process."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is allowed before anything is trusted. The first two are settings, the others are not."""

    sockets: int = 1000
    """In all. A new one in excess takes the place of the one that has waited longest (see `Connections`)."""
    sockets_per_address: int = 500
    """Of one peer address (IPv6: one /64). Behind a proxy all have the proxy's address."""
    head_bytes: int = 64 * 1024
    """Request line and headers; also what comes between two pieces of a body (framing, trailers)."""
    headers_count: int = 128
    head_s: float = 10
    """From the first byte, or from the connection where none came yet, to the end of the headers."""
    piece_s: float = 10
    """From one piece of a body to the next, whatever the application asks beyond that."""
    pipelined: int = 8
    """Requests sent on before the one in hand is answered."""
    drain_bytes: int = 64 * 1024
    """Read of a body that nobody wants any more, so that its sender gets to our answer."""
    drain_s: float = 2
    write_s: float = 10
    """Who does not take an answer is given so long, and ..."""
    write_bytes_per_s: int = 16 * 1024
    """... a second more for each so many bytes of it."""
