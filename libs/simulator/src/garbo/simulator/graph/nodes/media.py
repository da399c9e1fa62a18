"""Media: uploaded, described, downloaded, deleted.

Source: Meta, Cloud API "Media" reference and OpenAPI description v23 (read 2026-11).
"""

import hmac
import time
from typing import Final

from starlette.types import Scope
from starlette.types import Send as Answering

from garbo.simulator.assets.media import (
    KINDS,
    UPLOADED_FOR_S,
    URL_FOR_S,
    Media,
    kind_of,
    most_bytes,
)
from garbo.simulator.assets.tokens import MESSAGING
from garbo.simulator.graph.access import check_scope, holder_of, query_of, token_of
from garbo.simulator.graph.accounts import Accounts
from garbo.simulator.graph.errors import Refusal, graph_error, plain_error, unknown_object
from garbo.simulator.graph.http import answer
from garbo.simulator.graph.nodes.call import Call, Json
from garbo.simulator.graph.nodes.multipart import parts_of

DOWNLOAD_PATH: Final = "/whatsapp_business/attachments/"
_NO_FILE: Final = plain_error("The address of this media is no longer valid.", status=404)
_TYPES: Final = ", ".join(mime for types in KINDS.values() for mime in types)


class MediaNodes:
    """`POST /{number}/media`, `GET` and `DELETE /{media}`, and the download."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._store = accounts.media

    async def upload(self, call: Call) -> Json:
        """Keep a file of one number's account."""
        parts = parts_of(call.headers.get("content-type", ""), call.content)
        product = parts.get("messaging_product")
        if product is None or product.content != b"whatsapp":
            raise Refusal(plain_error("(#100) The parameter messaging_product is required."))
        file = parts.get("file")
        if file is None or not file.content:
            raise Refusal(plain_error("(#100) The parameter file is required."))
        mime_type = file.mime_type
        if "type" in parts and b"/" in parts["type"].content:  # some clients name the kind there
            mime_type = parts["type"].content.decode("utf-8", "replace").strip()
        kind = kind_of(mime_type)
        if kind is None:
            raise Refusal(
                plain_error(f"(#100) Param file must be a file with one of the following types: {_TYPES}.")
            )
        if len(file.content) > most_bytes(kind, file.content):
            most = most_bytes(kind, file.content)
            raise Refusal(graph_error(131053, f"A file of type {mime_type} may have {most} bytes at most."))
        number = self._accounts.numbers[call.node]
        bare = mime_type.partition(";")[0].strip().lower()
        until = time.time() + UPLOADED_FOR_S
        media = Media("", number.waba, number.id, bare, b"", 0, 0, until, file.filename)
        return {"id": self._store.keep(file.content, media).id}

    async def show(self, call: Call) -> Json:
        """Describe a file, with an address that is good for five minutes."""
        media = self._mine(call)
        until = int(time.time() + URL_FOR_S)
        query = f"?mid={media.id}&ext={until}&hash={self._store.sign(media.id, until)}"
        return {
            "url": call.base + DOWNLOAD_PATH + query,
            "mime_type": media.mime_type,
            "sha256": media.sha256.hex(),
            "file_size": media.size_bytes,
            "id": media.id,
            "messaging_product": "whatsapp",
        }

    async def delete(self, call: Call) -> Json:
        """Delete a file."""
        return {"success": self._store.forget(self._mine(call).id)}

    def fetched(self, scope: Scope) -> Media:
        """Find what a download's address names: 401 without the token, 404 once the address is too old."""
        query = query_of(scope)
        holder = holder_of(self._accounts, token_of(scope, {}))
        check_scope(holder, MESSAGING)
        media, until = self._store.get(query.get("mid", "")), query.get("ext", "0")[:12]
        late = not until.isdecimal() or int(until) < time.time()
        if media is None or late or media.waba not in holder.accounts:
            raise Refusal(_NO_FILE)
        if not hmac.compare_digest(
            query.get("hash", "").encode(), self._store.sign(media.id, int(until)).encode()
        ):
            raise Refusal(_NO_FILE)
        return media

    def content(self, media: Media) -> bytes:
        """Read a file's bytes."""
        return self._store.content(media)

    async def give(self, media: Media, send: Answering) -> None:
        """Give a file's bytes to whoever asked for them."""
        headers = []
        if media.filename:
            named = media.filename.encode("ascii", "replace").replace(b'"', b"'")
            headers.append((b"content-disposition", b'attachment; filename="%b"' % named))
        kind = (b"content-type", media.mime_type.encode())
        await answer(send, 200, self.content(media), headers=headers, kind=kind)

    def _mine(self, call: Call) -> Media:
        media = self._store.get(call.node)
        number = call.params.get("phone_number_id")
        if media is None or number not in (None, media.number_id):
            raise Refusal(unknown_object(call.node, call.method.lower()))
        return media
