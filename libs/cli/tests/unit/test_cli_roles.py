"""Which role each service has, as the environment says."""

from pathlib import Path

import pytest

from garbo.cli.connection import role_settings_of
from garbo.cli.postgres_roles import ServiceRole, roles_of
from garbo.cli.scram import postgres_verifier
from garbo.common.errors import StartRefused


def test_without_a_word_each_service_has_a_role_of_its_name_and_no_password_is_set() -> None:
    settings = role_settings_of({"PATH": "/bin", "GARBO_POSTGRES_DSN": "postgresql://owner@here/garbo"})
    assert settings.postgres_roles == "make"
    assert roles_of(settings) == [
        ServiceRole("router", "garbo_router"),
        ServiceRole("sender", "garbo_sender"),
        ServiceRole("analytics", "garbo_analytics"),
    ]


def test_a_service_s_own_address_names_its_role_and_password(tmp_path: Path) -> None:
    (tmp_path / "dsn").write_text("postgresql://my%20router:p%40ss@here:5432/garbo\n")
    told = {
        "GARBO_POSTGRES_ROUTER_DSN_FILE": str(tmp_path / "dsn"),
        "GARBO_POSTGRES_SENDER_DSN": "postgresql://here/garbo?user=s&password=secret",
        "GARBO_POSTGRES_ANALYTICS_DSN": "postgresql://a@here/garbo",
    }
    assert roles_of(role_settings_of(told)) == [
        ServiceRole("router", "my router", "p@ss"),
        ServiceRole("sender", "s", "secret"),
        ServiceRole("analytics", "a"),
    ]


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        pytest.param(
            "ROUTER_DSN", "postgresql://here/garbo", "GARBO_POSTGRES_ROUTER_DSN names no role", id="no"
        ),
        pytest.param(
            "SENDER_DSN", "postgresql://[here/garbo", "GARBO_POSTGRES_SENDER_DSN is no addr", id="bad"
        ),
        pytest.param("ROLES", "maybe", "GARBO_POSTGRES_ROLES is wrong", id="another word"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_variable(variable: str, value: str, line: str) -> None:
    with pytest.raises(StartRefused, match=line):
        roles_of(role_settings_of({f"GARBO_POSTGRES_{variable}": value}))


@pytest.mark.parametrize("password", ["", "pässword", "two\nlines"])
def test_a_password_that_servers_would_read_otherwise_is_refused(password: str) -> None:
    with pytest.raises(StartRefused, match="printable ASCII"):
        postgres_verifier(password)


def test_what_a_server_keeps_differs_each_time_and_does_not_hold_the_password() -> None:
    first, again = postgres_verifier("a-long-password"), postgres_verifier("a-long-password")
    assert first.startswith("SCRAM-SHA-256$4096:")
    assert first != again
    assert "a-long-password" not in first
