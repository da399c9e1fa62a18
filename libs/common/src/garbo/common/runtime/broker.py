"""What a process needs to know to reach Kafka."""

from dataclasses import dataclass
from typing import Any

from garbo.common.runtime.kafka_security import UNSECURED, KafkaSecurity, security_of
from garbo.common.runtime.settings import WithKafka


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Where Kafka is, who we are to it, and how long we wait for it. All times in seconds."""

    bootstrap_servers: str
    """Comma separated host:port."""
    security: KafkaSecurity = UNSECURED
    """Who we are to it, and whom we believe to be it."""
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
        return {
            "bootstrap_servers": self.servers(),
            "request_timeout_ms": int(self.request_s * 1000),
            **self.security.arguments(),
        }


def kafka_of(settings: WithKafka) -> KafkaSettings:
    """Read what a process was told about Kafka; raises `StartRefused` for what does not go together."""
    return KafkaSettings(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        security=security_of(settings),
        instance=settings.kafka_instance,
    )
