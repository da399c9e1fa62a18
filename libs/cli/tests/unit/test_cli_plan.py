"""Ports and folders: what the environment may say, and what is refused."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from garbo.cli.local.workspace import default_data_folder
from garbo.cli.up.environment import DEMO_KEYS, READERS, children_environment, role_passwords, told_to
from garbo.cli.up.plan import read_plan
from garbo.common.business import load_business
from garbo.common.errors import StartRefused


def test_without_environment_everything_has_its_usual_place() -> None:
    plan = read_plan({})
    assert plan.url("analytics") == "http://127.0.0.1:8081"
    assert plan.bootstrap_servers == "127.0.0.1:19092"
    assert plan.data == default_data_folder()


def test_an_offset_moves_every_port_that_is_not_set_by_name(tmp_path: Path) -> None:
    plan = read_plan(
        {"GARBO_PORT_OFFSET": "1000", "GARBO_ROUTER_PORT": "7777", "GARBO_DATA": str(tmp_path / "here")}
    )
    assert (plan.ports.ingest, plan.ports.postgres, plan.ports.router) == (9080, 16432, 7777)
    assert plan.data == tmp_path / "here"
    assert plan.jars.is_relative_to(default_data_folder())


@pytest.mark.parametrize(
    ("env", "names"),
    [
        pytest.param({"GARBO_PORT_OFFSET": "many"}, "GARBO_PORT_OFFSET", id="not a number"),
        pytest.param({"GARBO_PORT_OFFSET": "60000"}, "GARBO_PORT_OFFSET", id="beyond the last port"),
        pytest.param({"GARBO_INGEST_PORT": "0"}, "GARBO_INGEST_PORT", id="port 0"),
        pytest.param({"GARBO_ROUTER_PORT": "8080"}, "GARBO_ROUTER_PORT", id="one port twice"),
    ],
)
def test_a_wrong_port_is_refused_with_its_variable(env: Mapping[str, str], names: str) -> None:
    with pytest.raises(StartRefused, match=names):
        read_plan(env)


def test_secrets_are_made_once_and_readable_by_nobody_else(tmp_path: Path) -> None:
    plan = read_plan({"GARBO_DATA": str(tmp_path)})
    first = children_environment(plan, {}, dsn="postgresql://here/garbo", demo=True)
    again = children_environment(plan, {}, dsn="postgresql://here/garbo", demo=True)
    assert first["GARBO_HASH_KEY"] == again["GARBO_HASH_KEY"]
    assert len(first["GARBO_HASH_KEY"]) >= 32
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "secrets").iterdir()} == {0o600}


def test_what_the_caller_set_for_a_service_reaches_it_and_our_own_names_do_not(tmp_path: Path) -> None:
    told = {
        "GARBO_DATA": str(tmp_path),
        "GARBO_PORT_OFFSET": "10",
        "GARBO_LOG_LEVEL": "debug",
        "GARBO_HASH_KEY_FILE": "/run/secrets/hash_key",
        "GARBO_KAFKA_BOOTSTRAP_SERVERS": "elsewhere:9092",
    }
    env = children_environment(read_plan(told), told, dsn="postgresql://here/garbo", demo=True)
    assert env["GARBO_LOG_LEVEL"] == "debug"
    assert env["GARBO_KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:19102"
    assert env["GARBO_SIMULATOR_WEBHOOK_URL"] == "http://127.0.0.1:8090/webhooks/whatsapp"
    assert not {"GARBO_DATA", "GARBO_PORT_OFFSET", "GARBO_HASH_KEY"} & env.keys()


def test_the_demo_keys_open_the_demo_business() -> None:
    business = load_business(read_plan({}).business)
    for client, key in DEMO_KEYS.items():
        found = business.client_of_key(key)
        assert found is not None
        assert found.id == client


def test_each_service_has_its_own_way_into_the_database_and_the_others_have_none() -> None:
    told = {"PATH": "/bin", "GARBO_POSTGRES_DSN": "the owner's", "GARBO_POSTGRES_ROUTER_DSN": "the router's"}
    dsns = {"router": "postgresql://garbo_router@here/garbo"}
    router = told_to("router", told, dsns)
    assert router == {"PATH": "/bin", "GARBO_POSTGRES_DSN": "postgresql://garbo_router@here/garbo"}
    for other in ("ingest", "simulator", "business"):
        assert told_to(other, told, dsns) == {"PATH": "/bin"}


def test_role_passwords_are_made_once_and_differ(tmp_path: Path) -> None:
    plan = read_plan({"GARBO_DATA": str(tmp_path)})
    first = role_passwords(plan)
    assert first == role_passwords(plan)
    assert sorted(first) == ["analytics", "router", "sender"]
    assert len({*first.values()}) == len(first)


@pytest.mark.parametrize(
    ("name", "secrets"),
    [
        ("ingest", {"HASH_KEY", "WHATSAPP_APP_SECRETS", "WHATSAPP_VERIFY_TOKEN"}),
        ("router", {"HASH_KEY"}),
        ("sender", set()),
        ("analytics", set()),
        ("simulator", {"WHATSAPP_APP_SECRETS"}),
        ("business", {"WHATSAPP_APP_SECRETS", "SIMULATOR_API_KEY", "SIMULATOR_CARE_API_KEY"}),
        ("kafka", set()),
        ("postgres", set()),
    ],
)
def test_each_process_is_told_the_secrets_it_reads_and_no_others(
    tmp_path: Path, name: str, secrets: set[str]
) -> None:
    given = {"GARBO_DATA": str(tmp_path), "GARBO_WHATSAPP_VERIFY_TOKEN_FILE": "/run/secrets/token"}
    env = children_environment(read_plan(given), given, dsn="postgresql://here/garbo", demo=True)
    told = {variable.removeprefix("GARBO_").removesuffix("_FILE") for variable in told_to(name, env, {})}
    every = {variable.removeprefix("GARBO_") for variable in READERS}
    assert told & every == secrets
    assert "KAFKA_BOOTSTRAP_SERVERS" in told
