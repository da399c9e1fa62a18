"""The proof from outside: pywa, a client that was written against Meta, talks with the simulator."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from pywa.client import WhatsApp
from pywa.errors import WhatsAppError
from pywa.types.templates import BodyText, TemplateLanguage

from libs.common.tests.support.waiting import until
from libs.simulator.tests.support.world import NUMBER, Running, running_world


@contextmanager
def pywa_client(running: Running) -> Iterator[WhatsApp]:
    """Make pywa's own client, its requests led to the simulator."""
    here = httpx.URL(running.url)

    def lead(request: httpx.Request) -> None:
        request.url = request.url.copy_with(scheme=here.scheme, host=here.host, port=here.port)

    with httpx.Client(event_hooks={"request": [lead]}, timeout=10) as session:
        yield WhatsApp(phone_id=NUMBER.id, token=NUMBER.token, session=session)


async def test_pywa_sends_a_text_and_a_template(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        with pywa_client(running) as client:
            customer = running.world.crowd.customers.population[0]
            await running.client.post(
                f"/customers/{customer.phone}/messages", json={"text": "hi", "number": NUMBER.id}
            )
            sent = await asyncio.to_thread(
                client.send_message, customer.phone, "Hello from pywa", tracker="t.1"
            )
            template = await asyncio.to_thread(
                client.send_template,
                customer.phone,
                "spring_sale",
                TemplateLanguage.ENGLISH,
                [BodyText.params("shoes")],  # type: ignore[arg-type] # as its docs do
                tracker="t.2",
            )
            await until(lambda: len(running.receiver.statuses()) == 6)
            entries = (await running.client.get("/ledger")).json()
    assert [(e["type"], e["wamid"], e["biz_opaque"]) for e in entries] == [
        ("text", sent.id, "t.1"),
        ("template", template.id, "t.2"),
    ]
    assert {s["biz_opaque_callback_data"] for s in running.receiver.statuses()} == {"t.1", "t.2"}


async def test_pywa_reads_the_errors(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        with pywa_client(running) as client:
            with pytest.raises(WhatsAppError) as unknown:
                await asyncio.to_thread(
                    client.send_template, "+393331234567", "nothing", TemplateLanguage.ENGLISH, []
                )
            assert unknown.value.code == 132001
            with pytest.raises(WhatsAppError) as number:
                await asyncio.to_thread(client.send_message, "+393331234567", "x", sender="7")
            assert number.value.code == 100


async def test_pywa_asks_for_the_number(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        with pywa_client(running) as client:
            number = await asyncio.to_thread(client.get_business_phone_number)
    assert (number.id, number.display_phone_number) == (NUMBER.id, NUMBER.display)
