"""What the sender reads from its environment."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from garbo.common.errors import StartRefused
from garbo.common.runtime.live import WithPlatform
from garbo.common.runtime.settings import HostNames, Port, ServiceSettings, WithHttp, WithKafka, WithPostgres

_SPAN: Final = re.compile(r"([0-9]{1,6})([smh])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours"}
_FOLDER: Final = re.compile(r"file:///[^?#@\s\\]+")
_BUCKET: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[0-9A-Za-z_.-]+)*/?")


def _span(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _SPAN.fullmatch(value.strip())
    if found is None:
        raise ValueError("should be a whole number and s, m or h, such as 1h")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _listed(value: object) -> object:
    return tuple(one.strip() for one in value.split(",") if one.strip()) if isinstance(value, str) else value


_Origin = Annotated[str, Field(pattern=r"^https?://[a-z0-9.\[\]:-]+$")]


def _place(value: str) -> str:
    if _FOLDER.fullmatch(value) or _BUCKET.fullmatch(value):
        return value
    raise ValueError("should be file:///folder or s3://bucket/prefix")


def _endpoint(value: str) -> str:
    if not re.fullmatch(r"https?://[^/?#@\s]+/?", value):
        raise ValueError("should be https://host or https://host:port")
    return value.rstrip("/")


class WithMedia(ServiceSettings):
    """A process that keeps files. Absent: it keeps none."""

    media_store: Annotated[str, AfterValidator(_place)] | None = None
    """Where files lie (`GARBO_MEDIA_STORE`): file:///folder, or s3://bucket/prefix; either is ours alone."""
    media_keep_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days that customers' files are kept (`GARBO_MEDIA_KEEP_DAYS`)."""
    media_hosts: HostNames = ()
    """Further hosts from which the platform gives files (comma separated, `GARBO_MEDIA_HOSTS`), beside
    lookaside.fbsbx.com and its own: they see the access tokens."""
    media_s3_endpoint: Annotated[str, AfterValidator(_endpoint)] | None = None
    """Of s3: https://host[:port] of a store that is not Amazon's (`GARBO_MEDIA_S3_ENDPOINT`)."""
    media_s3_region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")] = "us-east-1"
    """Of s3: its region (`GARBO_MEDIA_S3_REGION`)."""
    media_s3_access_key: SecretStr | None = None
    """Of s3, with the next: both absent, the `AWS_*` variables or the machine's role count."""
    media_s3_secret_key: SecretStr | None = None

    def refuse_unsafe(self) -> None:
        """Raise `StartRefused`, too, for half a pair of keys."""
        super().refuse_unsafe()
        if (self.media_s3_access_key is None) != (self.media_s3_secret_key is None):
            raise StartRefused(
                "GARBO_MEDIA_S3_ACCESS_KEY and GARBO_MEDIA_S3_SECRET_KEY go together: set both or none."
            )


class SenderSettings(WithMedia, WithPlatform, WithKafka, WithPostgres, WithHttp):
    """`GARBO_SENDER_*` and the shared names."""

    service: ClassVar[str] = "sender"

    port: Port = 8083
    config: Path
    """The business file (`GARBO_CONFIG`): numbers, their tokens and rates."""
    graph_version: Annotated[str, Field(pattern=r"^v[0-9]{1,3}\.[0-9]$")] = "v25.0"
    """Which version of the Graph API is called (`GARBO_GRAPH_VERSION`)."""
    templates_every: Annotated[
        timedelta,
        BeforeValidator(_span),
        Field(ge=timedelta(seconds=1), le=timedelta(hours=24)),
    ] = timedelta(hours=1)
    """How often each account's templates are read, beside what the platform says of them: 30s, 15m, 1h."""
    graph_app_secret: SecretStr | None = None
    """The app's secret (`GARBO_GRAPH_APP_SECRET`), where the app demands `appsecret_proof` with each call."""
    fetch_origins: Annotated[tuple[_Origin, ...], BeforeValidator(_listed)] = ()
    """Whole origins (comma separated), such as http://localhost:8090, from which files are fetched whatever
    their address is: for trials, never where people are reached."""
    connections: Annotated[int, Field(ge=2, le=64)] = 8
    """Connections to PostgreSQL."""
    keep_days: Annotated[int, Field(ge=31, le=3650)] = 90
    """Days that messages and attempts are kept: longer than any grant or status may still come."""

    file_keep_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days that files which were given for messages are kept, from the last time they were given."""

    @property
    def app_secret(self) -> str | None:
        """The app's secret, if proofs are wanted."""
        return self.graph_app_secret.get_secret_value() if self.graph_app_secret else None

    def refuse_unsafe(self) -> None:
        """Raise `StartRefused` where what is for trials would meet people's files."""
        super().refuse_unsafe()
        if self.live and self.fetch_origins:
            raise StartRefused(
                "GARBO_SENDER_FETCH_ORIGINS opens addresses inside this network, and GARBO_GRAPH_URL "
                f"({self.graph_url}) reaches people: unset it; hosts go by name into the business file "
                "(media: fetch_from)."
            )
