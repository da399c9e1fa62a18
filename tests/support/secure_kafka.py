"""A broker that asks who comes, and certificates good and bad: made anew for each run."""

import base64
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson

from tests.support.ports import free_ports

HERE: Final = "127.0.0.1"
NAMES: Final = ("SECURE", "MUTUAL", "OPEN", "EXPIRED", "ELSEWHERE")
PROTOCOLS: Final = {
    "SECURE": "SASL_SSL",  # SCRAM, PLAIN or a token, inside TLS
    "MUTUAL": "SSL",  # a certificate of ours
    "OPEN": "SASL_PLAINTEXT",
    "EXPIRED": "SSL",
    "ELSEWHERE": "SSL",  # a certificate of another host
}
_LOGIN: Final = "org.apache.kafka.common.security"
MECHANISMS: Final = {
    "scram-sha-256": f"{_LOGIN}.scram.ScramLoginModule required;",
    "scram-sha-512": f"{_LOGIN}.scram.ScramLoginModule required;",
    "plain": f'{_LOGIN}.plain.PlainLoginModule required user_garbo-router="plain-password";',
    "oauthbearer": f"{_LOGIN}.oauthbearer.OAuthBearerLoginModule required;",
}
PRINCIPALS: Final = r"RULE:^CN=([^,]*).*$/$1/,DEFAULT"
"""A certificate's name is its user."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, in PEM."""

    cert: Path
    key: Path

    @property
    def both(self) -> Path:
        """One file with both, as Kafka takes a PEM key store."""
        path = self.cert.with_suffix(".both.pem")
        path.write_text(self.key.read_text() + self.cert.read_text())
        return path


class Authority:
    """Signs certificates, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.cert, self._key = folder / "ca.pem", folder / "ca.key"
        subject = ("-subj", f"/CN={folder.name} authority")
        _openssl("req", "-x509", *_new_key(self._key), *subject, "-days", "2", "-out", self.cert)

    def issue(self, name: str, *, host: str | None = None, days: int = 2, password: str = "") -> Pair:
        """Sign a certificate for a name; valid for days from now, negative: expired."""
        stem = f"{name}{abs(days)}{'-locked' if password else ''}"
        pair = Pair(self._folder / f"{stem}.pem", self._folder / f"{stem}.key")
        request, extension = self._folder / f"{stem}.csr", self._folder / f"{stem}.ext"
        extension.write_text(f"subjectAltName=IP:{host}\n" if host else "basicConstraints=CA:FALSE\n")
        _openssl("req", *_new_key(pair.key, password), "-subj", f"/CN={name}", "-out", request)
        signed = ("-CA", self.cert, "-CAkey", self._key, "-CAcreateserial", "-extfile", extension)
        _openssl("x509", "-req", "-in", request, *signed, "-days", str(days), "-out", pair.cert)
        return pair


@dataclass(slots=True)
class SecureListeners:
    """Five listeners beside the usual one, which stays as it is, and who is allowed what."""

    folder: Path
    ports: dict[str, int] = field(default_factory=lambda: dict(zip(NAMES, free_ports(5), strict=True)))
    authority: Authority = field(init=False)

    def __post_init__(self) -> None:
        self.authority = Authority(self.folder / "ours")

    def address(self, name: str) -> str:
        """Give the bootstrap server of a listener."""
        return f"{HERE}:{self.ports[name]}"

    def properties(self, port: int, controller_port: int) -> dict[str, str]:
        """Give the broker's settings. Who comes in by the usual listener, unnamed, may do everything."""
        plain = f"CLIENT://{HERE}:{port}"
        secure = ",".join(f"{name}://{HERE}:{at}" for name, at in self.ports.items())
        protocols = ",".join(f"{name}:{protocol}" for name, protocol in PROTOCOLS.items())
        settings = {
            "listeners": f"{plain},CONTROLLER://{HERE}:{controller_port},{secure}",
            "listener.security.protocol.map": f"CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,{protocols}",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "ssl.principal.mapping.rules": PRINCIPALS.replace("\\", "\\\\"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.cert),
            "listener.name.mutual.ssl.client.auth": "required",
        }
        issued = {
            "expired": self.authority.issue("expired", host=HERE, days=-1),
            "elsewhere": self.authority.issue("elsewhere", host="192.0.2.1"),
        }
        good = self.authority.issue("broker", host=HERE)
        for name in NAMES:
            listener = f"listener.name.{name.lower()}"
            settings[f"{listener}.ssl.keystore.type"] = "PEM"
            settings[f"{listener}.ssl.keystore.location"] = str(issued.get(name.lower(), good).both)
            if PROTOCOLS[name].startswith("SASL"):
                settings[f"{listener}.sasl.enabled.mechanisms"] = ",".join(MECHANISMS).upper()
                settings |= {f"{listener}.{m}.sasl.jaas.config": login for m, login in MECHANISMS.items()}
        return settings


def token_of(user: str, *, lives_s: int = 300) -> str:
    """Make an unsigned token as a broker without an identity provider takes it; negative: expired."""
    now = int(time.time())
    claims = {"sub": user, "iat": now - 600, "exp": now + lives_s}
    parts = (
        base64.urlsafe_b64encode(orjson.dumps(part)).decode().rstrip("=")
        for part in ({"alg": "none"}, claims)
    )
    return f"{'.'.join(parts)}."


def _new_key(file: Path, password: str = "") -> tuple[str | Path, ...]:
    locked = ("-passout", f"pass:{password}") if password else ("-nodes",)
    return ("-newkey", "rsa:2048", "-keyout", file, *locked)


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)
