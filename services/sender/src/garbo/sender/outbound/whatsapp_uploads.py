"""Uploads: `POST /{number}/media`, a form of three fields, streamed from the store.

Source: Meta, Cloud API "Upload media" (read 2026-11). This is the only way to an id that a message
may show: a resumable upload ends in a handle, which only a template's example takes.
"""

from collections.abc import AsyncIterator, Callable
from secrets import token_hex
from typing import Final

from garbo.sender.domain.outcomes import Answer
from garbo.sender.outbound.graph import GraphClient
from garbo.sender.ports.media import MediaFile

UPLOAD_S: Final = 600.0
"""100 MB at 1.4 Mbit/s."""
_EXTENSIONS: Final = {"image/jpeg": "jpg", "audio/mpeg": "mp3", "video/3gpp": "3gp", "text/plain": "txt"}


class WhatsAppUploads:
    """`MediaUploading` over HTTP."""

    def __init__(self, graph: GraphClient) -> None:
        self._graph = graph

    async def upload(
        self, number: str, file: MediaFile, content: Callable[[], AsyncIterator[bytes]]
    ) -> Answer:
        """Upload once, without ever holding the whole file."""
        boundary = token_hex(16)
        head, tail = _around(file, boundary)
        headers = {
            "content-type": f"multipart/form-data; boundary={boundary}",
            "content-length": str(len(head) + file.size_bytes + len(tail)),
        }
        return await self._graph.ask(
            "POST",
            f"{number}/media",
            number=number,
            within_s=UPLOAD_S,
            content=_body(head, content(), tail),
            headers=headers,
        )


def _around(file: MediaFile, boundary: str) -> tuple[bytes, bytes]:
    """Write what stands before and behind the bytes of a file; its name tells nobody anything."""
    extension = _EXTENSIONS.get(file.mime_type, file.mime_type.rpartition("/")[2].rpartition(".")[2])
    fields = (("messaging_product", "whatsapp"), ("type", file.mime_type))
    parts = [
        f'--{boundary}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields
    ]
    parts.append(
        f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="file.{extension}"\r\n'
        f"content-type: {file.mime_type}\r\n\r\n"
    )
    return "".join(parts).encode(), f"\r\n--{boundary}--\r\n".encode()


async def _body(head: bytes, content: AsyncIterator[bytes], tail: bytes) -> AsyncIterator[bytes]:
    yield head
    async for part in content:
        yield part
    yield tail
