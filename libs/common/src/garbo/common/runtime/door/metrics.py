"""What the door counts. Labels are closed sets: nothing a stranger writes becomes one."""

from typing import Final

from prometheus_client import Counter, Gauge

SOCKETS: Final = Gauge("garbo_http_sockets", "Open connections of callers.")
REFUSED: Final = Counter("garbo_http_refused", "Connections and requests ended at the door.", ("reason",))
