"""Why Kafka does not let us in, in words: aiokafka's clients only say that they could not connect."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, collect_hosts
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.kafka_combinations import OAUTH

ASK_S: Final = 5.0
_PLAIN_ANSWERS: Final = ("WRONG_VERSION_NUMBER", "UNEXPECTED_EOF_WHILE_READING", "RECORD_LAYER_FAILURE")
"""What OpenSSL makes of a server that speaks no TLS."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a broker that can be reached does not serve us."""

    why: str
    certain: bool
    """Whether waiting cannot help: somebody has to change something."""


async def refusal(kafka: KafkaSettings) -> Refusal | None:
    """Ask each server once, within 5 s; None where one answers, or none can be reached."""
    found: Refusal | None = None
    for host, port, _ in collect_hosts(kafka.servers()):
        try:
            async with asyncio.timeout(ASK_S):
                await _ask(kafka, host, port)
        except (OSError, KafkaError, ValueError, EOFError) as error:
            told = _in_words(kafka, f"{host}:{port}", error)
            found = found if found and found.certain else told or found
        else:
            return None
    return found


async def _ask(kafka: KafkaSettings, host: str, port: int) -> None:
    arguments = {name: value for name, value in kafka.connection().items() if name != "bootstrap_servers"}
    connection: Any = AIOKafkaConnection(host, port, **arguments)
    try:
        await connection.connect()
        # Only a request shows what a broker thinks of a client certificate (TLS 1.3) or of a token.
        metadata = await connection.send(MetadataRequest([]))
        if not metadata.brokers:
            # aiokafka does not look at what a broker answers to a token; to a refused one, this comes next.
            raise SaslAuthenticationFailed("the token was refused")
    finally:
        connection.close()
        await asyncio.sleep(0)  # the socket is closed by the loop's next turn


def _in_words(kafka: KafkaSettings, where: str, error: BaseException) -> Refusal | None:
    cause = error.__cause__ if isinstance(error, KafkaConnectionError) and error.__cause__ else error
    match cause:
        case ssl.SSLCertVerificationError():
            why = _of_certificate(cause)
        case ssl.SSLError():
            why = _of_tls(cause)
        case SaslAuthenticationFailed():
            why = _of_proof(kafka)
        case UnsupportedSaslMechanismError():
            mechanism = kafka.security.mechanism
            why = f"does not take {mechanism}: set another GARBO_KAFKA_SASL_MECHANISM"
        case IllegalSaslStateError():
            why = "wants no user here: set a GARBO_KAFKA_SECURITY_PROTOCOL without SASL"
        case KafkaConnectionError() | EOFError() | ConnectionResetError() | BrokenPipeError():
            return Refusal(f"Kafka at {where} closes the connection: {_of_silence(kafka)}.", certain=False)
        case _:
            return None
    return Refusal(f"Kafka at {where} {why}.", certain=True)


def _of_certificate(error: ssl.SSLCertVerificationError) -> str:
    said = error.verify_message.rstrip(".")
    if "mismatch" in said:
        mend = "write the host in GARBO_KAFKA_BOOTSTRAP_SERVERS as the certificate does, or have one made"
    elif "expired" in said or "not yet valid" in said:
        mend = "have the broker's certificate renewed, and look at this machine's clock"
    else:
        mend = "give the certificate of whoever signed it in GARBO_KAFKA_SSL_CA_FILE"
    return f"shows a certificate that is not believed ({said}): {mend}"


def _of_tls(error: ssl.SSLError) -> str:
    reason = (error.reason or "").upper()
    said = reason.lower().replace("_", " ") or "no reason given"
    if reason in _PLAIN_ANSWERS:
        mend = "ask its TLS port, or set GARBO_KAFKA_SECURITY_PROTOCOL to PLAINTEXT or SASL_PLAINTEXT"
        return f"does not speak TLS ({said}): {mend}"
    if any(word in reason for word in ("CERTIFICATE", "UNKNOWN_CA", "HANDSHAKE_FAILURE")):
        mend = "give one that its CA has signed in GARBO_KAFKA_SSL_CERT_FILE and GARBO_KAFKA_SSL_KEY_FILE"
        return f"does not take our certificate ({said}): {mend}"
    return f"and we agree on no TLS ({said}): compare its ssl.protocol and ssl.cipher.suites"


def _of_proof(kafka: KafkaSettings) -> str:
    security = kafka.security
    if security.mechanism == OAUTH:
        return "takes no token of ours: write a valid one to GARBO_KAFKA_SASL_TOKEN_FILE"
    return (
        f"knows no user {security.username} with this password under {security.mechanism}: correct "
        "GARBO_KAFKA_SASL_USERNAME, GARBO_KAFKA_SASL_PASSWORD or GARBO_KAFKA_SASL_MECHANISM"
    )


def _of_silence(kafka: KafkaSettings) -> str:
    security = kafka.security
    if security.sasl and security.mechanism == OAUTH:
        return "the token in GARBO_KAFKA_SASL_TOKEN_FILE may not be valid"
    if security.protocol == "SSL":
        return "it may want a certificate of ours: GARBO_KAFKA_SSL_CERT_FILE"
    return f"GARBO_KAFKA_SECURITY_PROTOCOL ({security.protocol}) may not be what it speaks there"
