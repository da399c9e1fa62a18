"""What the router is told by its environment."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from garbo.common.runtime.live import WithPlatform
from garbo.common.runtime.settings import HashKey, Port, WithHttp, WithKafka, WithPostgres


class RouterSettings(WithPlatform, WithKafka, WithPostgres, WithHttp):
    """`GARBO_ROUTER_*` and the shared names."""

    service: ClassVar[str] = "router"

    port: Port = 8082
    config: Path
    """The business file (`GARBO_CONFIG`)."""
    policy: Path
    """The policy file (`GARBO_POLICY`)."""
    hash_key: HashKey
    """Addresses are looked up by their hash with this. The same in all services; never changed."""
    batch_records: Annotated[int, Field(ge=1, le=5000)] = 500
    """Requests decided in one transaction."""
    keep_days: Annotated[int, Field(ge=31, le=3650)] = 90
    """Days that decisions, grants and seen request ids are kept, or as long as the policy counts."""
