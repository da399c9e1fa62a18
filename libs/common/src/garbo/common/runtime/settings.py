"""Settings: the environment, read once, into one frozen object; a wrong value stops the start."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from garbo.common.errors import StartRefused

PREFIX: Final = "GARBO_"
SHARED: Final = frozenset(
    {
        "KAFKA_BOOTSTRAP_SERVERS",
        "KAFKA_INSTANCE",
        "KAFKA_SECURITY_PROTOCOL",
        "KAFKA_SASL_MECHANISM",
        "KAFKA_SASL_USERNAME",
        "KAFKA_SASL_PASSWORD",
        "KAFKA_SASL_TOKEN_FILE",
        "KAFKA_SSL_CA_FILE",
        "KAFKA_SSL_CERT_FILE",
        "KAFKA_SSL_KEY_FILE",
        "KAFKA_SSL_KEY_PASSWORD",
        "KAFKA_INGEST_PASSWORD",
        "KAFKA_ROUTER_PASSWORD",
        "KAFKA_SENDER_PASSWORD",
        "KAFKA_ANALYTICS_PASSWORD",
        "KAFKA_PUBLISHER_PASSWORD",
        "KAFKA_SUBSCRIBER_PASSWORD",
        "KAFKA_OPERATOR_PASSWORD",
        "POSTGRES_DSN",
        "POSTGRES_ROLES",
        "POSTGRES_ROUTER_DSN",
        "POSTGRES_SENDER_DSN",
        "POSTGRES_ANALYTICS_DSN",
        "CONFIG",
        "POLICY",
        "WHATSAPP_APP_SECRETS",
        "WHATSAPP_VERIFY_TOKEN",
        "GRAPH_URL",
        "GRAPH_VERSION",
        "GRAPH_APP_SECRET",
        "MEDIA_STORE",
        "MEDIA_KEEP_DAYS",
        "MEDIA_HOSTS",
        "MEDIA_S3_ENDPOINT",
        "MEDIA_S3_REGION",
        "MEDIA_S3_ACCESS_KEY",
        "MEDIA_S3_SECRET_KEY",
        "HASH_KEY",
        "LOG_FORMAT",
        "LOG_LEVEL",
        "OTLP_ENDPOINT",
        "HTTP_SOCKETS",
        "HTTP_SOCKETS_PER_ADDRESS",
        "ALLOWED_HOSTS",
    }
)
"""Names without a service in them: one environment may serve all services."""
OTHERS: Final = (
    "INGEST_",
    "ROUTER_",
    "SENDER_",
    "ANALYTICS_",
    "SIMULATOR_",
    "TEST_",
    "DATA",
    "PORT_OFFSET",
    "KAFKA_PORT",
    "KAFKA_CONTROLLER_PORT",
    "POSTGRES_PORT",
    "KAFKA_IMAGE",
    "POSTGRES_IMAGE",
    "PYTHON_IMAGE",
    "URL_",
    "API_KEY",
    "OPERATOR",
    "IMAGE",
    "SECRETS",
)
"""Prefixes of names that belong to somebody else (another service, the command line, compose): ignored."""


def _secrets(value: object) -> object:
    return tuple(s.strip() for s in value.split(",") if s.strip()) if isinstance(value, str) else value


def _host_names(value: object) -> object:
    if not isinstance(value, str):
        return value
    names = tuple(name for name in (part.strip() for part in value.split(",")) if name)
    wrong = next((name for name in names if not _HOST_NAME.fullmatch(name)), None)
    if wrong is not None:
        raise ValueError("each must be a host's name alone, without scheme, port and *")
    return names


_HOST_NAME: Final = re.compile(r"[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*\.?")
HostNames = Annotated[tuple[str, ...], BeforeValidator(_host_names)]
Port = Annotated[int, Field(ge=1, le=65535)]
Secrets = Annotated[
    tuple[SecretStr, ...], BeforeValidator(_secrets), Field(min_length=1, description="comma separated")
]
HashKey = Annotated[
    SecretStr,
    AfterValidator(lambda s: s if len(s.get_secret_value()) >= 16 else _too_short()),  # noqa: PLR2004
]


def _too_short() -> SecretStr:
    raise ValueError("must have 16 characters or more; make one with: openssl rand -hex 32")


class ServiceSettings(BaseModel):
    """What every process is told. A subclass names its service and adds its own fields.

    Field `port` of service `router` is `GARBO_ROUTER_PORT`; fields named in `SHARED` have no service in
    their name. Each may also be given as a file: `GARBO_HASH_KEY_FILE=/run/secrets/hash_key`.
    """

    service: ClassVar[str]
    model_config = ConfigDict(frozen=True, extra="forbid")

    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: Annotated[str, Field(pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$")] | None = None
    """Where traces go (OTLP over HTTP), such as http://localhost:4318; absent: nowhere. Spans hold nothing of
    a person, so plain HTTP will do inside a network of one's own."""

    def refuse_unsafe(self) -> None:
        """Raise `StartRefused` for settings that are right one by one and must not go together."""


class WithKafka(ServiceSettings):
    """A process that talks to Kafka."""

    kafka_bootstrap_servers: str = "localhost:9092"
    """Comma separated host:port."""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = None
    """Absent, with a SASL protocol: PLAIN."""
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_sasl_token_file: Path | None = None
    """Of OAUTHBEARER: read anew for each connection; whoever renews the token writes it there."""
    kafka_ssl_ca_file: Path | None = None
    """Whose certificates are believed, in PEM; absent: the system's."""
    kafka_ssl_cert_file: Path | None = None
    """Our own certificate in PEM, where the broker asks for one (mutual TLS)."""
    kafka_ssl_key_file: Path | None = None
    """Its key; absent: it stands in the certificate's file."""
    kafka_ssl_key_password: SecretStr | None = None
    kafka_instance: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")] | None = None
    """A lasting name, another for each process of a service (the pod's, in a StatefulSet). With it a process
    that is killed and started again goes on at once; one that ends for good keeps its partitions for 30 s."""


class WithHttp(ServiceSettings):
    """A process that answers over HTTP; see `garbo.common.runtime.door`."""

    host: str = "127.0.0.1"
    """The address to listen on; 0.0.0.0 for all, behind a proxy."""
    port: Port = 8080
    allowed_hosts: HostNames = ()
    """By which names it may be asked (comma separated, without ports), beside `localhost`, the machine's own
    name and addresses; another name is answered 421. Behind a proxy: what the proxy sends as Host."""
    http_sockets: Annotated[int, Field(ge=16, le=100_000)] = 1000
    """Open connections in all; a new one in excess takes the place of the one that has waited longest."""
    http_sockets_per_address: Annotated[int, Field(ge=8, le=100_000)] = 500
    """The same of one peer address (IPv6: of one /64). Behind a proxy that is all of its callers together:
    let the proxy bound each of them."""


class WithPostgres(ServiceSettings):
    """A process that talks to PostgreSQL."""

    postgres_dsn: SecretStr
    """postgresql://user:password@host:port/database"""


S = TypeVar("S", bound=ServiceSettings)


def load(settings: type[S], environ: Mapping[str, str] | None = None) -> S:
    """Read the environment into settings; raises `StartRefused` with one line that names the variable."""
    env = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for field in settings.model_fields:
        text = _read(env, variable_of(settings, field))
        if text is not None:
            values[field] = text
    _refuse_unknown(settings, env)
    try:
        loaded = settings.model_validate(values)
    except ValidationError as error:
        raise StartRefused(_sentence(settings, error)) from None
    loaded.refuse_unsafe()
    return loaded


def files_of(
    settings: type[ServiceSettings], *, fields: Iterable[str], environ: Mapping[str, str] | None = None
) -> list[Path]:
    """Name the files that these fields are read from, of those that are files."""
    env = os.environ if environ is None else environ
    named = (env.get(f"{variable_of(settings, field)}_FILE") for field in fields)
    return [Path(file) for file in named if file]


def variable_of(settings: type[ServiceSettings], field: str) -> str:
    """Name the variable that sets a field."""
    name = field.upper()
    return f"{PREFIX}{name}" if name in SHARED else f"{PREFIX}{settings.service.upper()}_{name}"


def _read(env: Mapping[str, str], name: str) -> str | None:
    file = env.get(f"{name}_FILE")
    if file and name in env:
        raise StartRefused(f"{name} and {name}_FILE are both set: keep one of them.")
    if not file:
        return env.get(name)
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise StartRefused(f"{name}_FILE cannot be read: {error.strerror} ({file}).") from None


def _refuse_unknown(settings: type[ServiceSettings], env: Mapping[str, str]) -> None:
    known = {variable_of(settings, field) for field in settings.model_fields}
    known |= {f"{PREFIX}{name}" for name in SHARED}
    own = f"{settings.service.upper()}_"
    for name in sorted(env):
        rest = name.removeprefix(PREFIX)
        if rest == name or name in known or name.removesuffix("_FILE") in known:
            continue
        if rest.startswith(own) or not rest.startswith(OTHERS):
            raise StartRefused(f"{name} is not a setting of {settings.service}: correct or remove it.")


def _sentence(settings: type[ServiceSettings], error: ValidationError) -> str:
    """Name the variable and what it should be; never the value, which may be a secret."""
    first = error.errors(include_input=False, include_url=False)[0]
    name = variable_of(settings, str(first["loc"][0])) if first["loc"] else settings.__name__
    if first["type"] == "missing":
        return f"{name} is not set: set it, or {name}_FILE."
    return f"{name} is wrong: {first['msg']}."
