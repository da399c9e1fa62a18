"""What ingest is told by its environment."""

from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import Field, SecretStr

from garbo.common.runtime.live import WithPlatform
from garbo.common.runtime.settings import HashKey, Port, Secrets, WithHttp, WithKafka

MIN_BODY_BYTES: Final = 32 * 1024 * 1024
"""One client's share, an eighth, takes the largest body."""


class IngestSettings(WithPlatform, WithKafka, WithHttp):
    """`GARBO_INGEST_*` and the shared names."""

    service: ClassVar[str] = "ingest"

    port: Port = 8080
    config: Path
    """The business file (`GARBO_CONFIG`)."""
    whatsapp_app_secrets: Secrets
    """The app secrets that sign webhooks, newest first; several while one is rotated."""
    whatsapp_verify_token: Annotated[SecretStr, Field(min_length=8)]
    """The word the platform says in the handshake, as set in its dashboard."""
    hash_key: HashKey
    """Keys of records are addresses hashed with this. The same in all services; never changed."""
    max_in_flight: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Requests in hand at once: so many of clients (half of it one client's), so many signed webhooks, and
    half of it webhooks that are not verified yet. Above it the answer is 503."""
    max_body_bytes: Annotated[int, Field(ge=MIN_BODY_BYTES, le=64 * 1024**3)] = 96 * 1024 * 1024
    """Bytes of bodies in hand at once: half of it of webhooks that are not verified yet, a quarter of signed
    ones, a quarter of clients (half of that one client's)."""
    body_timeout_s: Annotated[float, Field(gt=0, le=60)] = 10
    """A body must have come whole within this."""
