"""How a test tells a client to come in by a secure broker: the environment of each way."""

from dataclasses import dataclass
from pathlib import Path

from garbo.common.runtime.broker import KafkaSettings
from tests.support.secure_kafka import Authority, SecureListeners


@dataclass(frozen=True, slots=True)
class Secure:
    """The broker, its listeners, and a folder for files."""

    listeners: SecureListeners
    unnamed: KafkaSettings
    folder: Path

    def told(self, listener: str, **more: str | Path) -> dict[str, str]:
        told = {"GARBO_KAFKA_BOOTSTRAP_SERVERS": self.listeners.address(listener)}
        return told | {f"GARBO_KAFKA_{name}": str(value) for name, value in more.items()}

    def tls(self, listener: str, **more: str | Path) -> dict[str, str]:
        usual: dict[str, str | Path] = {
            "SECURITY_PROTOCOL": "SSL",
            "SSL_CA_FILE": self.listeners.authority.cert,
        }
        return self.told(listener, **usual | more)

    def scram(self, listener: str = "SECURE", who: str = "router", **more: str | Path) -> dict[str, str]:
        proof: dict[str, str | Path] = {
            "SECURITY_PROTOCOL": "SASL_SSL",
            "SASL_MECHANISM": "SCRAM-SHA-512",
            "SASL_USERNAME": f"garbo-{who}",
            "SASL_PASSWORD": f"{who}-password",
        }
        return self.tls(listener, **proof | more)

    def open(self, **more: str | Path) -> dict[str, str]:
        proof: dict[str, str | Path] = {"SECURITY_PROTOCOL": "SASL_PLAINTEXT"}
        return without(self.scram("OPEN", "router", **proof | more), "SSL_CA_FILE")

    def token(self, token: str, name: str = "token") -> dict[str, str]:
        file = self.folder / name
        file.write_text(token)
        return self.tls(
            "SECURE", SECURITY_PROTOCOL="SASL_SSL", SASL_MECHANISM="OAUTHBEARER", SASL_TOKEN_FILE=file
        )

    def certificate(
        self, name: str = "garbo-router", authority: Authority | None = None, password: str = ""
    ) -> dict[str, str]:
        pair = (authority or self.listeners.authority).issue(name, password=password)
        locked = {"SSL_KEY_PASSWORD": password} if password else {}
        return self.tls("MUTUAL", SSL_CERT_FILE=pair.cert, SSL_KEY_FILE=pair.key, **locked)


def without(told: dict[str, str], name: str) -> dict[str, str]:
    """Leave the variables out whose names end so."""
    return {variable: value for variable, value in told.items() if not variable.endswith(name)}
