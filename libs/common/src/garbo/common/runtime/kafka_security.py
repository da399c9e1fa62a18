"""Who we are to Kafka, and how we know that it is Kafka: SASL and TLS.

All is read once, at the start, but the OAuth token: its file is read anew for each connection.
"""

import asyncio
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import SaslAuthenticationFailed

from garbo.common.runtime.kafka_combinations import refuse_what_does_not_go_together
from garbo.common.runtime.kafka_tls import tls_context
from garbo.common.runtime.settings import WithKafka


class TokenFile(AbstractTokenProvider):
    """Reads the token anew whenever a connection is made: whoever renews it writes the file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def token(self) -> str:
        """Give the token; raises `OSError`, or `SaslAuthenticationFailed` for an empty file."""
        token = (await asyncio.to_thread(self._file.read_text, encoding="ascii")).strip()
        if not token:
            raise SaslAuthenticationFailed(f"{self._file} is empty")
        return token


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """How one client proves itself and what it believes."""

    protocol: str = "PLAINTEXT"
    """PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."""
    mechanism: str = "PLAIN"
    """PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER; only with a SASL protocol."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token_file: Path | None = None
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    """Whose certificates are believed, and which is ours; None where nothing is encrypted."""

    @property
    def encrypted(self) -> bool:
        """Whether TLS is spoken."""
        return self.protocol.endswith("SSL")

    @property
    def sasl(self) -> bool:
        """Whether a client says who it is inside the connection."""
        return self.protocol.startswith("SASL")

    def arguments(self) -> dict[str, Any]:
        """Give what aiokafka's clients call it."""
        told: dict[str, Any] = {"security_protocol": self.protocol}
        if self.encrypted:
            told["ssl_context"] = self.tls
        if self.sasl:
            told["sasl_mechanism"] = self.mechanism
            told["sasl_plain_username"] = self.username
            told["sasl_plain_password"] = self.password
        if self.sasl and self.token_file:
            told["sasl_oauth_token_provider"] = TokenFile(self.token_file)
        return told


UNSECURED: Final = KafkaSecurity()


def security_of(settings: WithKafka) -> KafkaSecurity:
    """Read what a process was told; raises `StartRefused` for what is missing or does not go together."""
    protocol = settings.kafka_security_protocol
    mechanism = settings.kafka_sasl_mechanism or ("PLAIN" if protocol.startswith("SASL") else "")
    refuse_what_does_not_go_together(settings, protocol=protocol, mechanism=mechanism)
    password = settings.kafka_sasl_password
    return KafkaSecurity(
        protocol=protocol,
        mechanism=mechanism,
        username=settings.kafka_sasl_username,
        password=password.get_secret_value() if password else None,
        token_file=settings.kafka_sasl_token_file,
        tls=tls_context(settings) if protocol.endswith("SSL") else None,
    )
