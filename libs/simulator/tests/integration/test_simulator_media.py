"""Files: uploaded, described, downloaded, sent by id, forgotten; and those that customers send."""

import time
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from typing import Final

import httpx
import pytest

from libs.common.tests.support.waiting import until
from libs.simulator.tests.support.world import (
    NUMBER,
    SECRET,
    SLOW,
    Json,
    Running,
    graph,
    running_world,
    text,
)

PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) + b"\r\n--not-the-boundary\r\n"
PHONE: Final = "+393331234567"
ASKED: Final = {"authorization": f"Bearer {NUMBER.token}"}


async def upload(running: Running, content: bytes = PNG, mime_type: str = "image/png") -> httpx.Response:
    files: dict[str, tuple[str | None, bytes, str]] = {
        "file": ("a.png", content, mime_type),
        "messaging_product": (None, b"whatsapp", "text/plain"),
        "type": (None, mime_type.encode(), "text/plain"),
    }
    return await running.client.post(f"/v25.0/{NUMBER.id}/media", files=files, headers=ASKED)


def image(media_id: str, kind: str = "image") -> Json:
    return {"messaging_product": "whatsapp", "to": PHONE, "type": kind, kind: {"id": media_id}}


async def opened(running: Running) -> None:
    """Let the person write, so that the window is open."""
    await running.client.post(f"/customers/{PHONE}/messages", json={"text": "hi", "number": NUMBER.id})


async def test_a_file_is_uploaded_described_downloaded_and_sent(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        await opened(running)
        media_id = (await upload(running)).json()["id"]
        shown = await graph(running, "GET", media_id)
        assert (shown["mime_type"], shown["file_size"]) == ("image/png", len(PNG))
        assert shown["sha256"] == sha256(PNG).hexdigest()
        got = await running.client.get(shown["url"], headers=ASKED)
        assert (got.content, got.headers["content-type"]) == (PNG, "image/png")
        assert (await running.client.get(shown["url"])).status_code == 401
        assert (await running.client.get(shown["url"] + "0", headers=ASKED)).status_code == 404
        assert (await running.send(image(media_id))).status_code == 200
        await until(lambda: len(running.receiver.statuses()) == 3)
        assert (await graph(running, "DELETE", media_id))["success"]
        assert (await running.client.get(shown["url"], headers=ASKED)).status_code == 404
        assert (await graph(running, "GET", media_id))["error"]["error_subcode"] == 33


async def test_the_address_of_a_file_is_good_for_five_minutes(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        media_id = (await upload(running)).json()["id"]
        until_s, late = int(time.time()) + 10, int(time.time()) - 1
        for ext, status in ((until_s, 200), (late, 404)):
            signed = running.world.accounts.media.sign(media_id, ext)
            query = {"mid": media_id, "ext": str(ext), "hash": signed}
            url = "/whatsapp_business/attachments/"
            assert (await running.client.get(url, params=query, headers=ASKED)).status_code == status


@pytest.mark.parametrize("how", ["unknown", "expired", "forgotten", "all forgotten"])
async def test_an_id_that_meta_does_not_know_any_more_is_refused(tmp_path: Path, how: str) -> None:
    async with running_world(tmp_path) as running:
        media_id = (await upload(running)).json()["id"]
        match how:
            case "unknown":
                media_id = "123456"
            case "expired":
                await running.client.patch(f"/control/media/{media_id}", json={"expires_in_s": -1})
            case "forgotten":
                assert (await running.client.delete(f"/control/media/{media_id}")).status_code == 200
            case _:
                assert (await running.client.delete("/control/media")).json() == {"forgotten": 1}
        refused = await running.send(image(media_id))
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, 100)
        header = {"type": "header", "parameters": [{"type": "image", "image": {"id": media_id}}]}
        body = {"type": "body", "parameters": [{"type": "text", "text": "x"}]}
        block = {"name": "spring_sale", "language": {"code": "en"}, "components": [header, body]}
        sent = {"messaging_product": "whatsapp", "to": PHONE, "type": "template", "template": block}
        assert (await running.send(sent)).json()["error"]["code"] == 100
        assert len(running.world.ledger) == 0


@pytest.mark.parametrize(
    ("content", "mime_type", "code"),
    [
        pytest.param(b"x", "image/gif", 100, id="type"),
        pytest.param(b"x", "application/zip", 100, id="archive"),
        pytest.param(b"", "image/png", 100, id="empty"),
        pytest.param(bytes(5 * 2**20 + 1), "image/png", 131053, id="large image"),
        pytest.param(bytes(16 * 2**20 + 1), "video/mp4", 131053, id="large video"),
        pytest.param(bytes(100 * 1024 + 1), "image/webp", 131053, id="large sticker"),
    ],
)
async def test_what_is_no_file_for_a_message_is_not_taken(
    tmp_path: Path, content: bytes, mime_type: str, code: int
) -> None:
    async with running_world(tmp_path) as running:
        refused = await upload(running, content, mime_type)
        assert refused.json()["error"]["code"] == code
        moves = b"RIFF0000WEBPVP8X0000000000000000ANIM" + bytes(200 * 1024)
        assert (await upload(running, moves, "image/webp")).status_code == 200
        assert (await upload(running, PNG, "audio/ogg; codecs=opus")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"--b\r\nno headers\r\n--b--", id="no headers"),
        pytest.param(b'--b\r\ncontent-disposition: form-data; name="file"\r\n\r\nx', id="no end"),
        pytest.param(b"--b\r\ncontent-disposition: form-data\r\n\r\nx\r\n--b--", id="no name"),
    ],
)
async def test_a_body_of_no_parts_is_refused(tmp_path: Path, body: bytes) -> None:
    async with running_world(tmp_path) as running:
        kind = {"content-type": "multipart/form-data; boundary=b"}
        refused = await running.client.post("/v25.0/1001/media", content=body, headers=ASKED | kind)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, 100)


async def test_a_file_of_another_kind_and_a_broken_link_fail_later(tmp_path: Path) -> None:
    async with running_world(tmp_path, {"broken_links": ["broken.example"]}) as running:
        await opened(running)
        media_id = (await upload(running)).json()["id"]
        false = (await upload(running, b"no picture", "image/jpeg")).json()["id"]
        link: Json = image("") | {"image": {"link": "https://broken.example/a.png"}}
        for body in (image(media_id, "audio"), image(false), link):
            assert (await running.send(body)).status_code == 200
        await until(lambda: len(running.receiver.statuses()) == 3)
        assert (await running.send(image(media_id, "document"))).status_code == 200
        await until(lambda: len(running.receiver.statuses()) == 6)
    failed = [s["errors"][0]["code"] for s in running.receiver.statuses()[:3]]
    assert failed == [131053] * 3


async def test_a_customer_s_file_can_be_fetched_and_one_too_large_is_told(tmp_path: Path) -> None:
    given = {"kind": "document", "content": b64encode(b"%PDF-1.7 mine").decode(), "filename": "mine.pdf"}
    async with running_world(tmp_path) as running:
        for said in (
            {"text": "see", "attachment": {"kind": "image"}},
            {"attachment": {"kind": "audio"}},
            {"attachment": given},
            {"too_large": True},
        ):
            wrote = await running.client.post(f"/customers/{PHONE}/messages", json=said | {"number": "1001"})
            assert wrote.status_code == 202
        assert (await running.client.post(f"/customers/{PHONE}/messages", json={})).status_code == 400
        await until(lambda: len(running.receiver.messages()) == 4)
        by_kind = {m["type"]: m for m in running.receiver.messages()}
        shown = await graph(running, "GET", by_kind["document"]["document"]["id"])
        got = await running.client.get(shown["url"], headers=ASKED)
        other = await graph(running, "GET", by_kind["image"]["image"]["id"], token=SLOW.token)
    assert (got.content, got.headers["content-disposition"]) == (
        b"%PDF-1.7 mine",
        'attachment; filename="mine.pdf"',
    )
    assert b64decode(by_kind["document"]["document"]["sha256"]).hex() == shown["sha256"]
    assert (by_kind["image"]["image"]["caption"], by_kind["audio"]["audio"]["voice"]) == ("see", True)
    assert by_kind["unsupported"]["errors"][0]["code"] == 131052
    assert other["mime_type"] == "image/png", "the account is the same"


async def test_an_upload_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    content = bytes(range(256)) * 8
    async with running_world(tmp_path) as running:
        app = running.world.accounts.app
        query = {"file_length": str(len(content)), "file_type": "image/png", "file_name": "a.png"}
        session = (await graph(running, "POST", f"{app.id}/uploads", params=query))["id"]
        url, oauth = f"/v25.0/{session}", {"authorization": f"OAuth {NUMBER.token}"}
        part = await running.client.post(url, content=content[:1000], headers=oauth | {"file_offset": "0"})
        assert part.status_code == 400
        stands = (await running.client.get(url, headers=oauth)).json()
        assert stands == {"id": session, "file_offset": 1000}
        wrong = await running.client.post(url, content=content[7:], headers=oauth | {"file_offset": "7"})
        assert wrong.status_code == 400
        done = await running.client.post(url, content=content[1000:], headers=oauth | {"file_offset": "1000"})
        assert done.json()["h"].startswith("4::")
        assert (await running.client.get(url.partition("?")[0], headers=oauth)).status_code == 400
        refused = await graph(running, "POST", f"{app.id}/uploads", params=query | {"file_type": "text/html"})
        assert refused["error"]["code"] == 100
    assert SECRET not in str(stands)


async def test_a_text_needs_no_file(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        assert (await running.send(text(PHONE))).status_code == 200
