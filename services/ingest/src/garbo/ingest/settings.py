"""What ingest is told by its environment."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, SecretStr

from garbo.common.runtime.live import WithPlatform
from garbo.common.runtime.settings import HashKey, Port, Secrets, WithHttp, WithKafka


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
    """Requests in hand at once; above it the answer is 503. Each may hold a body of 3 MB."""
    body_timeout_s: Annotated[float, Field(gt=0, le=60)] = 10
    """A body must have come whole within this."""
