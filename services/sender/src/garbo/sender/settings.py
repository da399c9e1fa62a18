"""What the sender reads from its environment."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from garbo.common.runtime.live import WithPlatform
from garbo.common.runtime.settings import Port, WithHttp, WithKafka, WithPostgres


class SenderSettings(WithPlatform, WithKafka, WithPostgres, WithHttp):
    """`GARBO_SENDER_*` and the shared names."""

    service: ClassVar[str] = "sender"

    port: Port = 8083
    config: Path
    """The business file (`GARBO_CONFIG`): numbers, their tokens and rates."""
    graph_version: Annotated[str, Field(pattern=r"^v[0-9]{1,3}\.[0-9]$")] = "v25.0"
    """Which version of the Graph API is called (`GARBO_GRAPH_VERSION`)."""
    connections: Annotated[int, Field(ge=2, le=64)] = 8
    """Connections to PostgreSQL."""
    keep_days: Annotated[int, Field(ge=31, le=3650)] = 90
    """Days that messages and attempts are kept: longer than any grant or status may still come."""
