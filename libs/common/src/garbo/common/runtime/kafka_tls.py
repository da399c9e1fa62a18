"""TLS to Kafka: whose certificates are believed, and which is ours. Read once, at the start."""

import ssl
from pathlib import Path

from garbo.common.errors import StartRefused
from garbo.common.runtime.settings import WithKafka


def tls_context(settings: WithKafka) -> ssl.SSLContext:
    """Believe the CA we were told of, else the system's; the host's name is always compared.

    Raises `StartRefused` for files that cannot be read or do not belong together.
    """
    context = _believing(settings.kafka_ssl_ca_file)
    cert, key, secret = (
        settings.kafka_ssl_cert_file,
        settings.kafka_ssl_key_file,
        settings.kafka_ssl_key_password,
    )
    if cert is None:
        if key or secret:
            name = "GARBO_KAFKA_SSL_KEY_FILE" if key else "GARBO_KAFKA_SSL_KEY_PASSWORD"
            raise StartRefused(
                f"{name} is set and GARBO_KAFKA_SSL_CERT_FILE is not: a key goes with a certificate."
            )
        return context
    password = secret.get_secret_value() if secret else ""
    for name, file in (("CERT", cert), ("KEY", key)):
        if file:
            _readable(f"GARBO_KAFKA_SSL_{name}_FILE", file)
    try:
        context.load_cert_chain(cert, key, lambda: password)  # without a password OpenSSL asks the terminal
    except (OSError, ValueError) as error:
        where = f"GARBO_KAFKA_SSL_CERT_FILE ({cert}) and GARBO_KAFKA_SSL_KEY_FILE ({key or cert})"
        raise StartRefused(
            f"{where} are no certificate with its key ({_openssl(error)}): give both of one pair in PEM, and "
            "GARBO_KAFKA_SSL_KEY_PASSWORD where the key has one."
        ) from None
    return context


def _believing(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is None:
        return ssl.create_default_context()
    _readable("GARBO_KAFKA_SSL_CA_FILE", ca_file)
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise StartRefused(
            f"GARBO_KAFKA_SSL_CA_FILE holds no certificate in PEM ({ca_file}: {_openssl(error)})."
        ) from None


def _readable(name: str, file: Path) -> None:
    try:
        file.read_bytes()
    except OSError as error:
        raise StartRefused(f"{name} cannot be read: {error.strerror} ({file}).") from None


def _openssl(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(reason).lower().replace("_", " ") if reason else type(error).__name__
