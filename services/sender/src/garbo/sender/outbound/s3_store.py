"""Files in a bucket of an S3-compatible store."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp
import structlog
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from garbo.common.errors import RetryLater, StartRefused
from garbo.sender.domain.media_keys import MediaKey, media_key
from garbo.sender.ports.media_store import NotStored, Stored, TooLarge

PART_BYTES: Final = 5 * 1024 * 1024
"""What is smaller goes in one request; no store takes parts below this, but for the last."""
CONNECT_S: Final = 5.0
READ_S: Final = 30.0
CALL_S: Final = 90.0
"""For one call, its second try included."""
STOP_S: Final = 5.0
ABORT_S: Final = 5.0
"""Who gives up, to stop perhaps, does not wait long for a store that hangs."""
READ_BYTES: Final = 256 * 1024
AT_ONCE: Final = 8
"""Files that are deleted side by side."""
NOT_FOUND: Final = ("404", "NoSuchKey", "NotFound", "NoSuchUpload")
START_S: Final = 5.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the files lie, and by whose right. Absent keys: the environment's, or the machine's role."""

    name: str
    prefix: str = ""
    """Before each key, without a slash at its end."""
    endpoint: str | None = None
    """https://host[:port]; absent: Amazon's."""
    region: str = "us-east-1"
    access_key: str | None = None
    secret_key: str | None = None


class S3Store:
    """`MediaStore` in a bucket, as a component.

    Only what every S3-compatible store knows: no checksum headers, no deletion of many by one request.
    A call is tried once more by the client itself: each may be made twice.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._before = f"{bucket.prefix}/" if bucket.prefix else ""
        self._closing = AsyncExitStack()
        self._client: Any = None

    async def start(self) -> None:
        """Make the client. Raises `StartRefused` when there is no such bucket; a store may be away."""
        config = AioConfig(
            connect_timeout=CONNECT_S,
            read_timeout=READ_S,
            retries={"total_max_attempts": 2, "mode": "standard"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path" if self._bucket.endpoint else "auto"},
        )
        made = get_session().create_client(
            "s3",
            endpoint_url=self._bucket.endpoint,
            region_name=self._bucket.region,
            aws_access_key_id=self._bucket.access_key,
            aws_secret_access_key=self._bucket.secret_key,
            config=config,
        )
        self._client = await self._closing.enter_async_context(made)
        try:
            async with asyncio.timeout(START_S):
                await self._call(self._client.head_bucket)
        except NotStored:
            raise StartRefused(
                f"GARBO_MEDIA_STORE: there is no bucket {self._bucket.name}: make it, or correct the name."
            ) from None
        except (RetryLater, TimeoutError):
            log.warning("media store not ready")

    async def stop(self) -> None:
        """Close the connections; writers must be finished by now."""
        async with asyncio.timeout(STOP_S):
            await self._closing.aclose()

    async def put(self, key: MediaKey, parts: AsyncIterator[bytes], *, most_bytes: int) -> Stored:
        """Send what is small at once, and what is large in parts that become a file together."""
        digest, size_bytes, waiting = hashlib.sha256(), 0, bytearray()
        upload = _Upload(self._call, self._client, self._name(key))
        try:
            async for part in parts:
                size_bytes += len(part)
                if size_bytes > most_bytes:
                    raise TooLarge
                digest.update(part)
                waiting += part
                while len(waiting) > PART_BYTES:
                    await upload.add(bytes(waiting[:PART_BYTES]))
                    del waiting[:PART_BYTES]
            await upload.finish(bytes(waiting))
        except NotStored:
            raise RetryLater("the media store lost what was sent") from None
        finally:
            await upload.abort()
        return Stored(size_bytes, digest.hexdigest())

    async def open(self, key: MediaKey) -> AsyncIterator[bytes]:
        """Read it in parts."""
        answer = await self._call(self._client.get_object, Key=self._name(key))
        try:
            while part := await _bounded(answer["Body"].read(READ_BYTES)):
                yield part
        finally:
            answer["Body"].close()

    async def delete(self, keys: Collection[MediaKey]) -> None:
        """Delete one by one, some side by side."""
        seats = asyncio.Semaphore(AT_ONCE)

        async def one(name: str) -> None:
            async with seats:
                with suppress(NotStored):
                    await self._call(self._client.delete_object, Key=name)

        names = [self._name(key) for key in keys]
        ended = await asyncio.gather(*map(one, names), return_exceptions=True)
        failures = [failure for failure in ended if isinstance(failure, BaseException)]
        if failures:
            raise failures[0]

    async def exists(self, key: MediaKey) -> bool:
        """Ask for its head."""
        try:
            await self._call(self._client.head_object, Key=self._name(key))
        except NotStored:
            return False
        return True

    async def sweep(self, *, older_than: timedelta) -> int:
        """Abort uploads in parts that nobody finished."""
        before = datetime.now(UTC) - older_than
        listed = await self._call(self._client.list_multipart_uploads, Prefix=self._before)
        old = [one for one in listed.get("Uploads") or () if one["Initiated"] < before]
        for one in old:
            with suppress(NotStored):
                await self._call(
                    self._client.abort_multipart_upload, Key=one["Key"], UploadId=one["UploadId"]
                )
        return len(old)

    def _name(self, key: MediaKey) -> str:
        return f"{self._before}{media_key(key)}"

    async def _call(self, method: Callable[..., Awaitable[Any]], **given: object) -> Any:  # noqa: ANN401 - an answer of the client
        return await _bounded(method(Bucket=self._bucket.name, **given))


class _Upload:
    """One file on its way: in one request, or in parts."""

    def __init__(self, call: Callable[..., Awaitable[Any]], client: Any, name: str) -> None:  # noqa: ANN401 - made at run time
        self._call = call
        self._client = client
        self._name = name
        self._id: str | None = None
        self._parts: list[dict[str, object]] = []

    async def add(self, content: bytes) -> None:
        """Send one part; the first begins the upload."""
        if self._id is None:
            begun = await self._call(self._client.create_multipart_upload, Key=self._name)
            self._id = begun["UploadId"]
        number = len(self._parts) + 1
        sent = await self._call(
            self._client.upload_part,
            Key=self._name,
            UploadId=self._id,
            PartNumber=number,
            Body=content,
        )
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})

    async def finish(self, rest: bytes) -> None:
        """Send what is left; from here on the file is there."""
        if self._id is None:
            await self._call(self._client.put_object, Key=self._name, Body=rest)
            return
        await self.add(rest)
        await self._call(
            self._client.complete_multipart_upload,
            Key=self._name,
            UploadId=self._id,
            MultipartUpload={"Parts": self._parts},
        )
        self._id = None

    async def abort(self) -> None:
        """Let the store forget the parts; what it does not hear now is swept later."""
        if self._id is not None:
            with suppress(RetryLater, NotStored, TimeoutError):
                async with asyncio.timeout(ABORT_S):
                    await self._call(self._client.abort_multipart_upload, Key=self._name, UploadId=self._id)


async def _bounded(call: Awaitable[Any]) -> Any:  # noqa: ANN401 - an answer of the client
    """Wait for the store, not for ever. What it says is told by its code alone."""
    try:
        async with asyncio.timeout(CALL_S):
            return await call
    except TimeoutError:
        raise RetryLater("the media store does not answer") from None
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        if code in NOT_FOUND:
            raise NotStored from None
        log.warning("media store refused", code=code)
        raise RetryLater("the media store refused") from None
    except (BotoCoreError, aiohttp.ClientError, OSError) as error:
        log.warning("media store away", error=type(error).__name__)
        raise RetryLater("the media store cannot be reached") from None
