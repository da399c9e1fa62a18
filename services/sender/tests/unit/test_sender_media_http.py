"""`/v1/media`: who may give what, and what is answered."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import httpx
import pytest

from garbo.sender.flow.media_library import MediaLibrary
from garbo.sender.inbound.http import API, http_app
from garbo.sender.inbound.media import GivenFiles
from garbo.sender.inbound.pauses import PausesByHand
from libs.common.tests.support.openapi import faults
from services.sender.tests.support.media_files import MemoryMediaFiles
from services.sender.tests.support.media_stores import MemoryMediaStore
from services.sender.tests.support.switches import BUSINESS, NO_FILES, MemorySwitches

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
NAME = f"sha256:{sha256(PNG).hexdigest()}"


@pytest.fixture
def library() -> MediaLibrary:
    return MediaLibrary(MemoryMediaFiles(), MemoryMediaStore())


async def ask(
    files: GivenFiles,
    method: str,
    path: str,
    content: bytes | AsyncIterator[bytes] = b"",
    *,
    key: str = "shop",
    **headers: str,
) -> httpx.Response:
    switches = MemorySwitches()
    app = http_app(BUSINESS, PausesByHand(switches, switches), files, health=())
    told = {"authorization": f"Bearer a-key-of-{key}"} | {k.replace("_", "-"): v for k, v in headers.items()}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sender") as client:
        answer = await client.request(method, path, content=content, headers=told)
    assert faults(API, answer) == []
    return answer


def given(library: MediaLibrary) -> GivenFiles:
    return GivenFiles(library, keep=timedelta(days=30))


async def test_a_file_is_given_and_found_by_its_name(library: MediaLibrary) -> None:
    files = given(library)
    for _ in range(2):
        answer = await ask(files, "POST", "/v1/media?brand=acme", PNG, content_type="Image/PNG; x=1")
        assert answer.status_code == 201, answer.text
        said = answer.json()
        assert {name: said[name] for name in ("file", "mime_type", "size_bytes")} == {
            "file": NAME, "mime_type": "image/png", "size_bytes": len(PNG),
        }  # fmt: skip
        assert datetime.fromisoformat(said["kept_until"]) > datetime.now(UTC) + timedelta(days=29)
    found = await ask(files, "GET", f"/v1/media/{NAME}?brand=acme")
    assert (found.status_code, found.json()["file"]) == (200, NAME)
    store = library.store
    assert isinstance(store, MemoryMediaStore)
    await library.tidy()
    assert list(store.files.values()) == [PNG], "the second copy is left over"


REFUSED = {
    "no brand": ("/v1/media", PNG, {"content_type": "image/png"}, 422),
    "another's brand": ("/v1/media?brand=nobody", PNG, {"content_type": "image/png"}, 403),
    "no type": ("/v1/media?brand=acme", PNG, {}, 415),
    "half a type": ("/v1/media?brand=acme", PNG, {"content_type": "image"}, 415),
    "not its type": ("/v1/media?brand=acme", PNG, {"content_type": "image/jpeg"}, 415),
    "nothing": ("/v1/media?brand=acme", b"", {"content_type": "image/png"}, 422),
    "compressed": (
        "/v1/media?brand=acme", PNG, {"content_type": "image/png", "content_encoding": "gzip"}, 415,
    ),
    "too large by its own word": (
        "/v1/media?brand=acme", PNG, {"content_type": "image/png", "content_length": "104857601"}, 413,
    ),
    "a key that may not": ("/v1/media?brand=acme", PNG, {"content_type": "image/png", "key": "ops"}, 403),
    "nobody's key": ("/v1/media?brand=acme", PNG, {"content_type": "image/png", "key": "nobody"}, 401),
}  # fmt: skip


@pytest.mark.parametrize(("path", "content", "more", "status"), REFUSED.values(), ids=REFUSED)
async def test_what_is_no_file_of_ones_own_is_refused_and_not_kept(
    library: MediaLibrary, path: str, content: bytes, more: dict[str, str], status: int
) -> None:
    answer = await ask(given(library), "POST", path, content, **more)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert isinstance(library.store, MemoryMediaStore)
    assert library.store.files == {}


async def test_what_grows_too_large_is_left_where_that_shows(library: MediaLibrary) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield PNG
        for _ in range(120):
            yield bytes(1024 * 1024)

    answer = await ask(given(library), "POST", "/v1/media?brand=acme", endless(), content_type="image/png")
    assert answer.status_code == 413
    assert isinstance(library.store, MemoryMediaStore)
    assert library.store.files == {}


async def test_what_a_brand_has_not_is_not_found(library: MediaLibrary) -> None:
    files = given(library)
    await ask(files, "POST", "/v1/media?brand=acme", PNG, content_type="image/png")
    for name in (f"sha256:{'0' * 64}", "x", f"md5:{NAME[7:]}"):
        assert (await ask(files, "GET", f"/v1/media/{name}?brand=acme")).status_code == 404


async def test_without_a_store_the_answer_says_what_to_set() -> None:
    for method, path in (("POST", "/v1/media?brand=acme"), ("GET", f"/v1/media/{NAME}?brand=acme")):
        answer = await ask(NO_FILES, method, path, PNG, content_type="image/png")
        assert answer.status_code == 501
        assert "GARBO_MEDIA_STORE" in answer.json()["detail"]


async def test_while_the_store_is_away_nothing_is_taken(library: MediaLibrary) -> None:
    assert isinstance(library.store, MemoryMediaStore)
    library.store.away = True
    answer = await ask(given(library), "POST", "/v1/media?brand=acme", PNG, content_type="image/png")
    assert answer.status_code == 503
