"""Settings of Kafka that are right one by one and do not go together: each refuses the start in one line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from garbo.common.errors import StartRefused
from garbo.common.runtime.live import is_this_machine
from garbo.common.runtime.settings import WithKafka

OAUTH: Final = "OAUTHBEARER"
BY_PASSWORD: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
READABLE: Final = ("PLAIN", OAUTH)
"""What they prove themselves by travels as it is."""


def refuse_what_does_not_go_together(settings: WithKafka, *, protocol: str, mechanism: str) -> None:
    """Raise `StartRefused` for the first setting that is missing, or that nothing would use."""
    said = f"GARBO_KAFKA_SECURITY_PROTOCOL is {protocol}"
    for fault in (
        *_without_their_protocol(settings, protocol, said),
        *_by_mechanism(settings, mechanism),
        *_readable_on_its_way(settings, protocol, mechanism),
    ):
        raise StartRefused(fault)


def _without_their_protocol(settings: WithKafka, protocol: str, said: str) -> Iterator[str]:
    sasl = [*_by_password(settings), *_by_token(settings)]
    sasl += ["GARBO_KAFKA_SASL_MECHANISM"] if settings.kafka_sasl_mechanism else []
    if sasl and not protocol.startswith("SASL"):
        yield f"{sasl[0]} is set and {said}: set SASL_SSL there, or remove it."
    tls = _for_tls(settings)
    if tls and not protocol.endswith("SSL"):
        yield f"{tls[0]} is set and {said}: set SSL or SASL_SSL there, or remove it."


def _by_mechanism(settings: WithKafka, mechanism: str) -> Iterator[str]:
    by_password, by_token = _by_password(settings), _by_token(settings)
    said = f"GARBO_KAFKA_SASL_MECHANISM is {mechanism}"
    if mechanism in BY_PASSWORD:
        for name in ("GARBO_KAFKA_SASL_USERNAME", "GARBO_KAFKA_SASL_PASSWORD"):
            if name not in by_password:
                yield f"{name} is not set: {mechanism} needs it (or {name}_FILE)."
        if by_token:
            yield f"{by_token[0]} is set and {said}: set {OAUTH} there, or remove it."
    if mechanism == OAUTH:
        if by_password:
            yield f"{by_password[0]} is set and {said}, which takes none: remove it."
        if not by_token:
            yield f"GARBO_KAFKA_SASL_TOKEN_FILE is not set and {said}: name the file that holds the token."
        if settings.kafka_sasl_token_file:
            yield from _unreadable(settings.kafka_sasl_token_file)


def _readable_on_its_way(settings: WithKafka, protocol: str, mechanism: str) -> Iterator[str]:
    if protocol == "SASL_PLAINTEXT" and mechanism in READABLE and not _stays_here(settings):
        yield (
            f"GARBO_KAFKA_SECURITY_PROTOCOL is {protocol}: what {mechanism} proves itself by would be "
            "readable on its way; set SASL_SSL there, or a SCRAM mechanism."
        )


def _by_password(settings: WithKafka) -> list[str]:
    password = settings.kafka_sasl_password
    told = {
        "GARBO_KAFKA_SASL_USERNAME": settings.kafka_sasl_username,
        "GARBO_KAFKA_SASL_PASSWORD": password.get_secret_value() if password else None,
    }
    return [name for name, value in told.items() if value]


def _by_token(settings: WithKafka) -> list[str]:
    return ["GARBO_KAFKA_SASL_TOKEN_FILE"] if settings.kafka_sasl_token_file else []


def _for_tls(settings: WithKafka) -> list[str]:
    told = {
        "GARBO_KAFKA_SSL_CA_FILE": settings.kafka_ssl_ca_file,
        "GARBO_KAFKA_SSL_CERT_FILE": settings.kafka_ssl_cert_file,
        "GARBO_KAFKA_SSL_KEY_FILE": settings.kafka_ssl_key_file,
        "GARBO_KAFKA_SSL_KEY_PASSWORD": settings.kafka_ssl_key_password,
    }
    return [name for name, value in told.items() if value]


def _unreadable(file: Path) -> Iterator[str]:
    try:
        if not file.read_text(encoding="ascii").strip():
            yield f"GARBO_KAFKA_SASL_TOKEN_FILE is empty ({file}): write the token there."
    except OSError as error:
        yield f"GARBO_KAFKA_SASL_TOKEN_FILE cannot be read: {error.strerror} ({file})."
    except UnicodeDecodeError:
        yield f"GARBO_KAFKA_SASL_TOKEN_FILE is no token ({file}): tokens are ASCII."


def _stays_here(settings: WithKafka) -> bool:
    servers = [server.strip() for server in settings.kafka_bootstrap_servers.split(",")]
    hosts = [server.rpartition(":")[0] for server in servers if server]
    return all(is_this_machine(host) for host in hosts)
