"""`/v1/media`: files for messages, given once and sent by name."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from garbo.common.business import Client
from garbo.common.events.instants import Instant
from garbo.common.events.media import FileName
from garbo.common.events.received_files import bare_type
from garbo.common.runtime.auth import CallRefused, json_of
from garbo.common.runtime.operations import Answer, Parameter, operation
from garbo.sender.domain.shown_files import LARGEST_BYTES
from garbo.sender.flow.media_library import EmptyFile, MediaLibrary, NotThatType
from garbo.sender.ports.media import MediaFile
from garbo.sender.ports.media_store import TooLarge

WHOLE_S: Final = 600.0
SILENT_S: Final = 15.0
MOST_AT_ONCE: Final = 8
_LONGEST_TYPE: Final = 120
_BRAND: Final = Parameter("brand", str, "Whose file it is: only messages of this brand may show it.")


class MediaView(BaseModel):
    """A file that messages may show."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    file: FileName
    """What a message calls it: `{"image": {"file": "sha256:..."}}`."""
    mime_type: str
    size_bytes: Annotated[int, Field(ge=1)]
    kept_until: Instant
    """It ends then, or later where a message still waits that shows it."""


class GivenFiles:
    """What clients may give; without a library every call says which setting is missing."""

    def __init__(self, library: MediaLibrary | None, *, keep: timedelta) -> None:
        self._library, self._keep = library, keep
        self._taken = 0

    @operation(
        "POST",
        "/v1/media",
        scope="publish",
        parameters=(_BRAND,),
        answers={201: Answer(MediaView)},
        errors={
            400: "The connection was closed before all of it came.",
            408: "It came too slowly.",
            413: "It has more than 100 MB.",
            415: "It is compressed, or no file of the type that Content-Type says.",
            422: "The brand is missing, or there is not one byte.",
            501: "This installation keeps no files.",
        },
        raw_body=True,
        answer_s=WHOLE_S,
    )
    async def give_file(self, request: Request, client: Client) -> Response:
        """Give a file: its bytes as they are, with their Content-Type.

        The same content again is the same file, and is kept longer. Whether a kind of message can show it
        (an image of 5 MB, a document of 100 MB ...) is looked at when a message does.
        """
        library, brand = self._with_library(), _brand_of(request, client)
        mime_type = _type_of(request)
        if self._taken >= MOST_AT_ONCE:
            raise CallRefused(503, "Busy", "Too many files come at once: try again in a second.")
        self._taken += 1
        try:
            file = await library.take(brand, mime_type, _parts_of(request), keep=self._keep)
        except TooLarge:
            raise _too_large() from None
        except EmptyFile:
            raise CallRefused(422, "Empty", "Send the file's bytes as the body.", field="body") from None
        except NotThatType:
            raise CallRefused(
                415,
                "Not that type",
                f"It does not begin as {mime_type} does: say in Content-Type what it is.",
            ) from None
        finally:
            self._taken -= 1
        answer = json_of(_view(file))
        answer.status_code = 201
        return answer

    @operation(
        "GET",
        "/v1/media/{file}",
        scope="publish",
        parameters=(Parameter("file", FileName, "As it was answered.", place="path"), _BRAND),
        answers={200: Answer(MediaView)},
        errors={404: "The brand has no such file, or no more.", 501: "This installation keeps no files."},
    )
    async def find_file(self, request: Request, client: Client) -> Response:
        """Say until when a file is kept."""
        library, brand = self._with_library(), _brand_of(request, client)
        kind, _, digest = request.path_params["file"].partition(":")
        file = await library.files.find(brand, digest) if kind == "sha256" else None
        if file is None:
            raise CallRefused(404, "No such file", "Give it with POST /v1/media.")
        return json_of(_view(file))

    def _with_library(self) -> MediaLibrary:
        if self._library is None:
            raise CallRefused(
                501, "No files here", "Whoever runs this installation must set GARBO_MEDIA_STORE first."
            )
        return self._library


def _brand_of(request: Request, client: Client) -> str:
    brand = request.query_params.get("brand", "")
    if not brand:
        raise CallRefused(422, "Whose file", "Say the brand: ?brand=...", field="brand")
    if brand not in client.brands:
        raise CallRefused(403, "Not your brand", "The key's client does not have this brand.")
    return brand


def _type_of(request: Request) -> str:
    headers = request.headers
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise CallRefused(415, "Compressed", "Send the file without Content-Encoding.")
    mime_type = bare_type(headers.get("content-type"))
    if mime_type is None or len(mime_type) > _LONGEST_TYPE:
        raise CallRefused(415, "No type", "Say in Content-Type what the file is, such as image/jpeg.")
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > LARGEST_BYTES:
        raise _too_large()
    return mime_type


async def _parts_of(request: Request) -> AsyncIterator[bytes]:
    """Give the body as it comes; raises `CallRefused` where it does not go on."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(SILENT_S):
                part = await anext(stream, None)
        except TimeoutError:
            raise CallRefused(408, "Too slow", f"Nothing came for {SILENT_S:.0f} s.") from None
        except ClientDisconnect:
            raise CallRefused(400, "Gone", "The connection was closed before all of it came.") from None
        if part is None:
            return
        if part:
            yield part


def _too_large() -> CallRefused:
    return CallRefused(413, "Too large", f"Send {LARGEST_BYTES} bytes at most: the platform takes no more.")


def _view(file: MediaFile) -> MediaView:
    return MediaView(
        file=file.name, mime_type=file.mime_type, size_bytes=file.size_bytes, kept_until=file.kept_until
    )
