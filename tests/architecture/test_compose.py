"""What the containers promise, read from the files: no engine is asked."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from garbo.cli.local.postgres import MAJOR
from garbo.cli.rights.table import MEMBERS, OPERATOR, user_of
from garbo.cli.up.environment import WITH_SCHEMA

ROOT = Path(__file__).parents[2]
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
CONTAINERS: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
SERVICES = sorted(p.name for p in (ROOT / "services").iterdir())
JOBS = ["migrate", "topics"]
DEMO = ["business", "simulator"]
OWN = [*SERVICES, *JOBS, *DEMO]
KAFKA_PORT: Final[dict[str, Any]] = yaml.safe_load(
    (ROOT / "deploy/compose/kafka-port.yml").read_text(encoding="utf-8")
)
IMAGE = re.compile(r"\$\{(?P<variable>GARBO_[A-Z]+_IMAGE):-(?P<image>\S+)}")
PIN = re.compile(r"^(?P<name>[a-z0-9.-]+)==(?P<version>\S+)", re.MULTILINE)


def _pins(lock: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / lock).read_text(encoding="utf-8")))


def test_compose_has_every_service_and_nothing_unknown() -> None:
    assert sorted(CONTAINERS) == sorted(["kafka", "postgres", *OWN])
    assert "version" not in COMPOSE, "compose warns about it"


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_container_has_no_privilege_and_a_limit(name: str) -> None:
    container = CONTAINERS[name]
    assert container["cap_drop"] == ["ALL"]
    assert "cap_add" not in container
    assert "no-new-privileges:true" in container["security_opt"]
    assert container["mem_limit"]


@pytest.mark.parametrize("name", sorted(set(CONTAINERS) - {"kafka"}))
def test_container_writes_nowhere_but_where_it_must(name: str) -> None:
    # Kafka's image writes its configuration beside its program.
    assert CONTAINERS[name]["read_only"] is True
    assert any(str(mount).startswith("/tmp") for mount in CONTAINERS[name]["tmpfs"])


@pytest.mark.parametrize("name", OWN)
def test_ours_all_run_the_one_image(name: str) -> None:
    assert CONTAINERS[name]["image"] == "${GARBO_IMAGE:-garbo:dev}"
    assert [n for n in OWN if "build" in CONTAINERS[n]] == ["migrate"], "built once"


@pytest.mark.parametrize("name", SERVICES)
def test_service_waits_for_what_it_needs_and_has_time_to_stop(name: str) -> None:
    container = CONTAINERS[name]
    assert container["command"] == ["python", "-m", f"garbo.{name}"]
    assert container["stop_grace_period"] == "45s"
    assert container["restart"] == "unless-stopped"
    needed = ["topics"] if name == "ingest" else ["migrate", "topics"]
    assert container["depends_on"] == {n: {"condition": "service_completed_successfully"} for n in needed}


@pytest.mark.parametrize("name", ["kafka", "postgres", *SERVICES, "simulator"])
def test_server_says_whether_it_is_healthy(name: str) -> None:
    assert CONTAINERS[name]["healthcheck"]["test"][0] == "CMD"


def test_only_the_demo_is_in_a_profile() -> None:
    assert {n: c["profiles"] for n, c in CONTAINERS.items() if "profiles" in c} == {n: ["demo"] for n in DEMO}


def _dockerfile() -> str:
    return (ROOT / "deploy/docker/Dockerfile").read_text(encoding="utf-8")


def _image(name: str) -> str:
    """Give the image of a server as it is unless an installation says otherwise."""
    found = IMAGE.fullmatch(CONTAINERS[name]["image"])
    assert found, f"{name}: no variable, so no digest of one's own"
    assert found["variable"] == f"GARBO_{name.upper()}_IMAGE"
    return found["image"]


def test_images_of_others_are_pinned_and_an_installation_may_name_its_own_digests() -> None:
    base = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", _dockerfile(), re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", _dockerfile(), re.MULTILINE)) == {"${PYTHON_IMAGE}"}
    told = IMAGE.fullmatch(CONTAINERS["migrate"]["build"]["args"]["PYTHON_IMAGE"])
    assert told
    assert [told["image"]] == base
    for image in [*base, *(_image(n) for n in CONTAINERS if n not in OWN)]:
        assert re.fullmatch(r"[a-z/]+:\S+", image), f"{image} has no tag"
        assert not image.endswith(":latest")


def test_the_servers_are_of_one_version_in_compose_in_tests_and_on_a_developer_s_machine() -> None:
    pom = (ROOT / "deploy/local/kafka/pom.xml").read_text(encoding="utf-8")
    found = re.search(r"<artifactId>kafka_[\d.]+</artifactId>\s*<version>(\S+)</version>", pom)
    assert found
    images = {f"apache/kafka:{found[1]}", f"postgres:{MAJOR}"}
    assert {_image(name) for name in ("kafka", "postgres")} == images
    containers = ROOT / "tests" / "support" / "containers.py"
    assert set(re.findall(r'image = "(.+)"', containers.read_text(encoding="utf-8"))) == images


def test_ports_are_open_on_this_machine_only_and_can_be_set() -> None:
    ports = [port for c in CONTAINERS.values() for port in c.get("ports", [])]
    assert "ports" not in CONTAINERS["kafka"], "who wants it open says so: deploy/compose/kafka-port.yml"
    ports += KAFKA_PORT["services"]["kafka"]["ports"]
    assert len(ports) == len(SERVICES) + 3
    for port in ports:
        assert re.fullmatch(r"127\.0\.0\.1:\$\{GARBO_[A-Z_]+:-\d+}:\d+", port), port


@pytest.mark.parametrize("secret", sorted(COMPOSE["secrets"]))
def test_secret_is_a_file_with_a_demo_value_that_says_so(secret: str) -> None:
    found = re.fullmatch(r"\$\{GARBO_SECRETS:-(.+)}/(\w+)", COMPOSE["secrets"][secret]["file"])
    assert found
    folder, name = found.groups()
    assert name == secret
    assert "demo" in (ROOT / folder / name).read_text(encoding="utf-8")


def test_no_secret_stands_in_the_environment() -> None:
    for name, container in CONTAINERS.items():
        for variable in container.get("environment", {}):
            if re.search(r"SECRET|PASSWORD|TOKEN|KEY|DSN", variable):
                assert variable.endswith("_FILE"), f"{name}: {variable}"


def _listeners(name: str) -> dict[str, str]:
    told = CONTAINERS["kafka"]["environment"][name].split(",")
    return {listener.partition(":")[0]: listener.partition(":")[2] for listener in told}


def test_kafka_asks_everybody_from_outside_its_container_who_they_are() -> None:
    kafka = CONTAINERS["kafka"]["environment"]
    protocols, addresses = _listeners("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"), _listeners("KAFKA_LISTENERS")
    unasked = {name for name, protocol in protocols.items() if protocol == "PLAINTEXT"}
    assert all(addresses[name].startswith("//localhost:") for name in unasked), addresses
    assert {protocols[name] for name in addresses.keys() - unasked} == {"SASL_PLAINTEXT"}
    assert kafka["KAFKA_AUTHORIZER_CLASS_NAME"].endswith(".StandardAuthorizer")
    assert kafka["KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND"] == "false"
    assert kafka["KAFKA_SUPER_USERS"] == f"User:ANONYMOUS;User:{user_of(OPERATOR)}"


@pytest.mark.parametrize("name", [*SERVICES, "business"])
def test_each_process_has_its_own_user_in_kafka_and_role_in_the_database(name: str) -> None:
    told, who = CONTAINERS[name]["environment"], "subscriber" if name == "business" else name
    assert told["GARBO_KAFKA_SASL_MECHANISM"] == "SCRAM-SHA-512"
    assert told["GARBO_KAFKA_SASL_USERNAME"] == user_of(who)
    assert told["GARBO_KAFKA_SASL_PASSWORD_FILE"] == f"/run/secrets/kafka_{who}_password"
    if name in WITH_SCHEMA:
        assert told["GARBO_POSTGRES_DSN_FILE"] == f"/run/secrets/postgres_{name}_dsn"
    given = {variable.rpartition("/")[2] for key, variable in told.items() if key.endswith("_FILE")}
    assert given == set(CONTAINERS[name]["secrets"]), "what it is told, and nothing else"


def test_the_jobs_know_the_password_of_every_user_and_role_they_make() -> None:
    users = {f"kafka_{who}_password" for who in (*(member.who for member in MEMBERS), OPERATOR)}
    assert set(CONTAINERS["topics"]["secrets"]) == users
    roles = {f"postgres_{service}_dsn" for service in WITH_SCHEMA}
    assert set(CONTAINERS["migrate"]["secrets"]) == roles | {"postgres_dsn"}


def test_container_does_not_run_as_root() -> None:
    assert _dockerfile().startswith("# syntax=docker/dockerfile:1\n")
    assert re.findall(r"^USER (.+)$", _dockerfile(), re.MULTILINE)[-1] == "10001:10001"


def test_container_lock_holds_what_the_members_declare_and_the_whole_lock_agrees() -> None:
    run, whole = _pins("requirements-run.lock"), _pins("requirements.lock")
    assert run.items() <= whole.items(), "type: make lock"
    members = [*(ROOT / "libs").iterdir(), *(ROOT / "services").iterdir()]
    declared = [
        re.match(r"[a-z0-9.-]+", dependency)
        for member in members
        for dependency in tomllib.loads((member / "pyproject.toml").read_text())["project"]["dependencies"]
    ]
    needed = {found.group() for found in declared if found} - {f"garbo-{member.name}" for member in members}
    assert needed <= run.keys(), "type: make lock"
