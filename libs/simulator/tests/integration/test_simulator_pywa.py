"""The proof from outside: pywa, a client that was written against Meta, talks with the simulator."""

import asyncio
from pathlib import Path

import pytest
from pywa.errors import WhatsAppError
from pywa.types.callback import Button, Section, SectionList, SectionRow, URLButton
from pywa.types.others import Pagination
from pywa.types.templates import (
    BodyText,
    ParamFormat,
    Template,
    TemplateCategory,
    TemplateLanguage,
    TemplateStatus,
)

from libs.common.tests.support.waiting import until
from libs.simulator.tests.support.pywa import pywa_client
from libs.simulator.tests.support.world import NUMBER, running_world


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


async def test_pywa_lists_writes_and_deletes_templates(tmp_path: Path) -> None:
    async with running_world(tmp_path, {"review": {"after_ms": 1}}) as running:
        with pywa_client(running) as client:
            listed = await asyncio.to_thread(
                client.get_templates, pagination=Pagination(limit=1), waba_id=NUMBER.waba
            )
            assert [one.name for one in listed] == ["spring_sale"]
            assert (listed.total_count, listed.has_next) == (2, True)
            rest = Pagination(limit=1, after=listed.after)
            listed = await asyncio.to_thread(client.get_templates, pagination=rest, waba_id=NUMBER.waba)
            assert ([one.name for one in listed], listed.has_next) == (["order_update"], False)
            wanted = Template(
                name="welcome",
                category=TemplateCategory.UTILITY,
                language=TemplateLanguage.ITALIAN,
                components=[BodyText("Ciao {{1}}", "Ada")],
                parameter_format=ParamFormat.POSITIONAL,
            )
            made = await asyncio.to_thread(client.create_template, wanted, waba_id=NUMBER.waba)
            await until(lambda: len(running.receiver.changes()) == 1)
            assert (await asyncio.to_thread(client.get_template, made.id)).status == TemplateStatus.APPROVED
            await asyncio.to_thread(client.delete_template, "welcome", waba_id=NUMBER.waba)
            account = await asyncio.to_thread(client.get_business_account, waba_id=NUMBER.waba)
            numbers = await asyncio.to_thread(client.get_business_phone_numbers, waba_id=NUMBER.waba)
    assert (account.currency, [one.id for one in numbers]) == ("EUR", ["1001", "1002"])


async def test_pywa_uploads_sends_and_fetches_files(tmp_path: Path) -> None:
    png = b"\x89PNG" + bytes(500)
    async with running_world(tmp_path) as running:
        customer = running.world.crowd.customers.population[0]
        wrote = {"attachment": {"kind": "document"}, "number": NUMBER.id}
        await running.client.post(f"/customers/{customer.phone}/messages", json=wrote)
        await until(running.receiver.messages)
        theirs = running.receiver.messages()[0]["document"]["id"]
        with pywa_client(running) as client:
            media = await asyncio.to_thread(client.upload_media, png, mime_type="image/png", filename="a.png")
            url = await asyncio.to_thread(client.get_media_url, media.id)
            assert (url.mime_type, int(url.file_size)) == ("image/png", len(png))
            assert await asyncio.to_thread(client.get_media_bytes, url.url) == png
            sent = await asyncio.to_thread(client.send_image, customer.phone, media.id, caption="see")
            await asyncio.to_thread(client.send_document, customer.phone, media.id, filename="a.png")
            inbound = await asyncio.to_thread(client.get_media_url, theirs)
            saved = await asyncio.to_thread(client.download_media, url=inbound.url, path=tmp_path)
            assert saved.read_bytes().startswith(b"%PDF")
            assert (await asyncio.to_thread(client.delete_media, media.id)).success
            with pytest.raises(WhatsAppError) as gone:
                await asyncio.to_thread(client.send_image, customer.phone, media.id)
            assert gone.value.code == 100
            entries = (await running.client.get("/ledger")).json()
    assert [(e["type"], e["wamid"] == sent.id) for e in entries] == [("image", True), ("document", False)]


async def test_pywa_offers_choices_reacts_and_marks_read(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        customer = running.world.crowd.customers.population[0]
        said = await running.client.post(
            f"/customers/{customer.phone}/messages", json={"text": "hi", "number": NUMBER.id}
        )
        wamid = said.json()["wamid"]
        rows = [SectionRow(title="Small", callback_data="s"), SectionRow(title="Large", callback_data="l")]
        listed = SectionList(button_title="Choose", sections=[Section(title="Sizes", rows=rows)])
        choices = (
            [Button(title="Yes", callback_data="yes"), Button(title="No", callback_data="no")],
            listed,
            URLButton(title="Track", url="https://shop.example/a"),
        )
        with pywa_client(running) as client:
            for buttons in choices:
                await asyncio.to_thread(client.send_message, customer.phone, "Which?", buttons=buttons)
            await asyncio.to_thread(client.send_reaction, customer.phone, "👍", wamid)
            await asyncio.to_thread(client.remove_reaction, customer.phone, wamid)
            assert (await asyncio.to_thread(client.mark_message_as_read, wamid)).success
            assert (await asyncio.to_thread(client.indicate_typing, wamid)).success
        entries = (await running.client.get("/ledger")).json()
    assert [e["type"] for e in entries] == ["interactive"] * 3 + ["reaction"] * 2
