"""What the door counts. Labels are closed sets: nothing a stranger writes becomes one."""

from typing import Final

from prometheus_client import Counter, Gauge

SOCKETS: Final = Gauge("garbo_http_sockets", "Open connections of callers.")
REFUSED: Final = Counter("garbo_http_refused", "Connections and requests ended at the door.", ("reason",))
BYTES_IN_HAND: Final = Gauge("garbo_http_body_bytes", "Bytes of bodies in hand.", ("whose",))
BODIES_DISPLACED: Final = Counter(
    "garbo_http_bodies_displaced", "Bodies given up because another caller needed the room.", ("whose",)
)
