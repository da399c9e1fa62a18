"""What is said of Kafka goes together, or refuses the start in one line."""

from pathlib import Path
from typing import Any, ClassVar

import pytest

from garbo.common.errors import StartRefused
from garbo.common.runtime.broker import kafka_of
from garbo.common.runtime.settings import WithKafka, load


class Told(WithKafka):
    service: ClassVar[str] = "router"


SCRAM = {
    "SASL_MECHANISM": "SCRAM-SHA-512",
    "SASL_USERNAME": "garbo-router",
    "SASL_PASSWORD": "s3cret-of-ours",
}
OAUTH = {"SASL_MECHANISM": "OAUTHBEARER", "SECURITY_PROTOCOL": "SASL_SSL"}
FAR = {"BOOTSTRAP_SERVERS": "localhost:9092,kafka.example.com:9093"}


def _connection(told: dict[str, str]) -> dict[str, Any]:
    return kafka_of(load(Told, {f"GARBO_KAFKA_{name}": value for name, value in told.items()})).connection()


def test_unsaid_nothing_is_encrypted_and_nobody_is_named() -> None:
    assert _connection({})["security_protocol"] == "PLAINTEXT"
    assert not {"ssl_context", "sasl_mechanism"} & _connection({}).keys()


def test_tls_compares_the_host_s_name_and_wants_a_certificate() -> None:
    context = _connection({"SECURITY_PROTOCOL": "SSL"})["ssl_context"]
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"


def test_scram_is_handed_on_and_shown_nowhere() -> None:
    settings = load(
        Told, {f"GARBO_KAFKA_{n}": v for n, v in ({"SECURITY_PROTOCOL": "SASL_SSL"} | SCRAM).items()}
    )
    kafka = kafka_of(settings)
    assert kafka.connection()["sasl_plain_password"] == SCRAM["SASL_PASSWORD"]
    assert SCRAM["SASL_PASSWORD"] not in f"{settings!r}{kafka!r}"


@pytest.mark.parametrize(
    ("told", "line"),
    [
        pytest.param({"SECURITY_PROTOCOL": "TLS"}, "SECURITY_PROTOCOL is wrong", id="no such protocol"),
        pytest.param({"SASL_MECHANISM": "GSSAPI"}, "SASL_MECHANISM is wrong", id="no such mechanism"),
        pytest.param(
            SCRAM, "SASL_USERNAME is set and .* is PLAINTEXT: set SASL_SSL", id="SASL without its protocol"
        ),
        pytest.param({"SASL_MECHANISM": "PLAIN"}, "SASL_MECHANISM is set and", id="a mechanism alone"),
        pytest.param(
            {"SECURITY_PROTOCOL": "SSL"} | SCRAM, "SASL_USERNAME is set and .* is SSL", id="SASL under SSL"
        ),
        pytest.param({"SSL_CA_FILE": "/ca"}, "SSL_CA_FILE is set and .* is PLAINTEXT", id="a CA without TLS"),
        pytest.param(
            {"SECURITY_PROTOCOL": "SASL_PLAINTEXT", "SSL_CERT_FILE": "/c"} | SCRAM,
            "SSL_CERT_FILE is set and .* is SASL_PLAINTEXT",
            id="a certificate without TLS",
        ),
        pytest.param(
            {"SECURITY_PROTOCOL": "SASL_SSL"}, "SASL_USERNAME is not set: PLAIN needs it", id="no user"
        ),
        pytest.param(
            {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_USERNAME": "me"},
            "SASL_PASSWORD is not set",
            id="no password",
        ),
        pytest.param(
            {"SECURITY_PROTOCOL": "SASL_SSL"} | SCRAM | {"SASL_PASSWORD": ""},
            "SASL_PASSWORD is not set: SCRAM-SHA-512 needs it",
            id="an empty password",
        ),
        pytest.param(
            {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_TOKEN_FILE": "/t"} | SCRAM,
            "SASL_TOKEN_FILE is set and .* SCRAM-SHA-512: set OAUTHBEARER",
            id="a token for SCRAM",
        ),
        pytest.param(OAUTH, "SASL_TOKEN_FILE is not set", id="no token"),
        pytest.param(
            OAUTH | {"SASL_USERNAME": "me", "SASL_TOKEN_FILE": "/t"},
            "which takes none",
            id="a user beside a token",
        ),
        pytest.param(
            OAUTH | {"SASL_TOKEN_FILE": "/nowhere"}, "cannot be read: No such file", id="no such token"
        ),
        pytest.param(
            OAUTH | {"SASL_TOKEN_FILE": "/"}, "cannot be read: Is a directory", id="a folder as token"
        ),
        pytest.param(
            {"SECURITY_PROTOCOL": "SASL_PLAINTEXT"} | SCRAM | {"SASL_MECHANISM": "PLAIN"} | FAR,
            "readable on its way",
            id="a readable password",
        ),
        pytest.param(
            {"SECURITY_PROTOCOL": "SSL", "SSL_CA_FILE": "/nowhere"}, "SSL_CA_FILE cannot be read", id="no CA"
        ),
        pytest.param(
            {"SECURITY_PROTOCOL": "SSL", "SSL_KEY_FILE": "/k"}, "SSL_CERT_FILE is not", id="a key alone"
        ),
        pytest.param(
            {"SECURITY_PROTOCOL": "SSL", "SSL_KEY_PASSWORD": "k"},
            "SSL_KEY_PASSWORD is set",
            id="its password alone",
        ),
        pytest.param(
            {"SECURITY_PROTOCOL": "SSL", "SSL_CERT_FILE": "/nowhere"},
            "SSL_CERT_FILE cannot be read",
            id="no cert",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(told: dict[str, str], line: str) -> None:
    with pytest.raises(StartRefused, match=f"GARBO_KAFKA_.*{line}") as refused:
        _connection(told)
    assert "\n" not in str(refused.value)
    assert SCRAM["SASL_PASSWORD"] not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
@pytest.mark.parametrize("name", ["SSL_CA_FILE", "SSL_CERT_FILE"])
def test_a_file_that_is_no_certificate_is_refused(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(StartRefused, match=f"GARBO_KAFKA_{name}.*(no certificate)"):
        _connection({"SECURITY_PROTOCOL": "SSL", name: str(tmp_path / "file")})


@pytest.mark.parametrize(("content", "line"), [(b" \n", "is empty"), (b"\xff\xfe", "is no token")])
def test_a_file_that_is_no_token_is_refused(content: bytes, line: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(StartRefused, match=f"GARBO_KAFKA_SASL_TOKEN_FILE {line}"):
        _connection(OAUTH | {"SASL_TOKEN_FILE": str(tmp_path / "token")})


@pytest.mark.parametrize("servers", ["localhost:9092", "127.0.0.1:9092, [::1]:9092", "LOCALHOST:9092"])
def test_a_readable_password_stays_on_this_machine(servers: str) -> None:
    told = (
        {"SECURITY_PROTOCOL": "SASL_PLAINTEXT", "BOOTSTRAP_SERVERS": servers}
        | SCRAM
        | {"SASL_MECHANISM": "PLAIN"}
    )
    assert _connection(told)["sasl_mechanism"] == "PLAIN"
