"""For tests: pywa, a client that was written against Meta, led to a simulated world."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from pywa.client import WhatsApp

from libs.simulator.tests.support.world import NUMBER, Running


@contextmanager
def pywa_client(running: Running) -> Iterator[WhatsApp]:
    """Make pywa's own client, its requests led to the simulator."""
    here = httpx.URL(running.url)

    def lead(request: httpx.Request) -> None:
        request.url = request.url.copy_with(scheme=here.scheme, host=here.host, port=here.port)

    with httpx.Client(event_hooks={"request": [lead]}, timeout=10) as session:
        yield WhatsApp(phone_id=NUMBER.id, token=NUMBER.token, session=session)
