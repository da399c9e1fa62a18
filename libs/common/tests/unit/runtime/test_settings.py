"""A wrong environment stops the start with one clear line."""

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import SecretStr

from garbo.common.errors import StartRefused
from garbo.common.runtime.settings import HashKey, Port, Secrets, WithKafka, WithPostgres, load


class Example(WithKafka, WithPostgres):
    service: ClassVar[str] = "router"
    port: Port = 8082
    hash_key: HashKey = SecretStr("0123456789abcdef")
    whatsapp_app_secrets: Secrets = (SecretStr("x"),)


DSN = {"GARBO_POSTGRES_DSN": "postgresql://localhost/garbo"}


def test_reads_own_and_shared_names() -> None:
    settings = load(
        Example, DSN | {"GARBO_ROUTER_PORT": "9000", "GARBO_WHATSAPP_APP_SECRETS": "new,old", "PATH": "/bin"}
    )
    assert settings.port == 9000
    assert [s.get_secret_value() for s in settings.whatsapp_app_secrets] == ["new", "old"]


def test_any_setting_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "dsn").write_text("postgresql://elsewhere/garbo\n")
    settings = load(Example, {"GARBO_POSTGRES_DSN_FILE": str(tmp_path / "dsn")})
    assert settings.postgres_dsn.get_secret_value() == "postgresql://elsewhere/garbo"


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        pytest.param({}, "GARBO_POSTGRES_DSN is not set: set it, or GARBO_POSTGRES_DSN_FILE.", id="missing"),
        pytest.param(DSN | {"GARBO_ROUTER_PORT": "no"}, "GARBO_ROUTER_PORT is wrong", id="no number"),
        pytest.param(DSN | {"GARBO_ROUTER_PORT": "0"}, "GARBO_ROUTER_PORT is wrong", id="out of range"),
        pytest.param(DSN | {"GARBO_ROUTER_PROT": "1"}, "GARBO_ROUTER_PROT is not a setting", id="own typo"),
        pytest.param(
            DSN | {"GARBO_POSTGRE_DSN": "1"}, "GARBO_POSTGRE_DSN is not a setting", id="shared typo"
        ),
        pytest.param(DSN | {"GARBO_HASH_KEY": "short"}, "GARBO_HASH_KEY is wrong: ", id="weak key"),
        pytest.param(
            DSN | {"GARBO_POSTGRES_DSN_FILE": "/nowhere"}, "both set: keep one", id="value and file"
        ),
        pytest.param({"GARBO_POSTGRES_DSN_FILE": "/nowhere"}, "cannot be read", id="no such file"),
    ],
)
def test_says_in_one_line_what_is_wrong(environ: dict[str, str], line: str) -> None:
    with pytest.raises(StartRefused) as refused:
        load(Example, environ)
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)


def test_names_of_other_services_pass() -> None:
    load(Example, DSN | {"GARBO_SENDER_PORT": "nonsense", "GARBO_SIMULATOR_SEED": "7"})


def test_names_of_the_command_line_and_of_compose_pass() -> None:
    names = (
        "API_KEY",
        "URL_INGEST",
        "DATA",
        "PORT_OFFSET",
        "KAFKA_PORT",
        "POSTGRES_PORT",
        "IMAGE",
        "KAFKA_IMAGE",
        "POSTGRES_IMAGE",
        "PYTHON_IMAGE",
        "SECRETS",
    )
    load(Example, DSN | {f"GARBO_{name}": "theirs" for name in names})


def test_a_secret_is_never_quoted() -> None:
    with pytest.raises(StartRefused) as refused:
        load(Example, DSN | {"GARBO_HASH_KEY": "hunter2"})
    assert "hunter2" not in str(refused.value)
