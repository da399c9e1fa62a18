"""What a process needs to know to reach Kafka."""

import ssl
from dataclasses import dataclass, field
from typing import Any

from garbo.common.runtime.settings import WithKafka


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Where Kafka is, who we are to it, and how long we wait for it. All times in seconds."""

    bootstrap_servers: str
    """Comma separated host:port."""
    security_protocol: str = "PLAINTEXT"
    """PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."""
    sasl_mechanism: str | None = None
    """PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; only with a SASL protocol."""
    sasl_username: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    start_s: float = 45.0
    """A process may start before its broker: how long it waits for the first answer."""
    request_s: float = 10.0
    """One request to the broker."""
    instance: str | None = None
    """This process's own lasting name in its consumer groups (KIP-345): started again under it within
    `session_s`, it has its partitions back at once, and nobody else notices."""
    session_s: float = 30.0
    """A consumer unheard of for so long loses its partitions. Below 30 only in tests."""
    publish_s: float = 14.0
    """All acknowledgements of one `publish`; then the outcome is unknown and the producer is rebuilt.
    Whoever asks over HTTP is told within 15 s."""

    def servers(self) -> list[str]:
        """Give the addresses one by one."""
        return [server.strip() for server in self.bootstrap_servers.split(",") if server.strip()]

    def connection(self) -> dict[str, Any]:
        """Give what aiokafka's clients call it: addresses, TLS, SASL, request timeout."""
        arguments: dict[str, Any] = {
            "bootstrap_servers": self.servers(),
            "security_protocol": self.security_protocol,
            "request_timeout_ms": int(self.request_s * 1000),
        }
        if self.security_protocol.endswith("SSL"):
            arguments["ssl_context"] = ssl.create_default_context()
        if self.security_protocol.startswith("SASL"):
            arguments["sasl_mechanism"] = self.sasl_mechanism or "PLAIN"
            arguments["sasl_plain_username"] = self.sasl_username
            arguments["sasl_plain_password"] = self.sasl_password
        return arguments


def kafka_of(settings: WithKafka) -> KafkaSettings:
    """Read what a process was told about Kafka."""
    password = settings.kafka_sasl_password
    return KafkaSettings(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        security_protocol=settings.kafka_security_protocol,
        sasl_mechanism=settings.kafka_sasl_mechanism,
        sasl_username=settings.kafka_sasl_username,
        sasl_password=password.get_secret_value() if password else None,
        instance=settings.kafka_instance,
    )
