"""Real servers for every integration test: `kafka`, `postgres`, and `private_kafka` for faults.

Where they come from, in this order: GARBO_TEST_KAFKA (bootstrap servers) and GARBO_TEST_POSTGRES (DSN of a
superuser); containers where a Docker engine answers, unless GARBO_TEST_SERVERS=local; local processes.
"""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Protocol, TypeVar

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling

from garbo.cli.local.kafka import MAX_MESSAGE_BYTES, OwnKafka
from garbo.cli.local.ports import free_ports
from garbo.cli.local.postgres import OwnPostgres
from garbo.cli.local.workspace import default_data_folder
from garbo.common.errors import StartRefused
from tests.support.servers import SharedKafka, SharedPostgres

MEND = "type .venv/bin/garbo doctor to see what is missing, or give GARBO_TEST_KAFKA and GARBO_TEST_POSTGRES"

MOST_WORKERS = 4
"""Each may run a broker, a database and an installation: 1.5 GB."""

CHOICES: list[str] = []
"""Said at the end of the run: where Docker answered and still was not taken."""
DOCKER_SOCKET = "/var/run/docker.sock"
DOCKER_API = "1.40"
"""Asked for outright: negotiating it would leave a socket open where no engine answers."""


class Server(Protocol):
    def start(self) -> object: ...
    def stop(self) -> object: ...


S = TypeVar("S", bound=Server)
O = TypeVar("O")  # noqa: E741 - what is offered


class ByFile(LoadGroupScheduling):
    """The tests of a file run one after the other in one process, as their module's servers want it.

    So do all tests of one `xdist_group`, whatever their files.
    """

    def _split_scope(self, nodeid: str) -> str:
        group = super()._split_scope(nodeid)
        return nodeid.partition("::")[0] if group == nodeid else group


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Each starts servers of its own. A broker that was given holds the topics of one process at a time."""
    return 1 if os.environ.get("GARBO_TEST_KAFKA") else min(max(2, os.cpu_count() or 2), MOST_WORKERS)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that may take longest: no process has one left when the others are done."""
    longest: dict[Path, float] = {}
    for item in items:
        longest[item.path] = max(longest.get(item.path, 0), _may_take_s(item))
    items.sort(key=lambda item: -longest[item.path])


def _may_take_s(item: pytest.Item) -> float:
    limit = item.get_closest_marker("timeout")
    if limit is not None:
        return float(limit.args[0])
    return 2.0 if item.get_closest_marker("integration") else 1.0


def pytest_report_header() -> str:
    return f"garbo servers: Kafka {_way('GARBO_TEST_KAFKA')}, PostgreSQL {_way('GARBO_TEST_POSTGRES')}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for choice in CHOICES:
        terminalreporter.write_line(f"garbo servers: {choice}")


@pytest.fixture(scope="module")
def kafka(kafka_server: SharedKafka) -> SharedKafka:
    """The broker of this run, without any topic of ours: what one module plants, no other finds."""
    kafka_server.forget_topics()
    return kafka_server


@pytest.fixture(scope="session")
def kafka_server() -> Iterator[SharedKafka]:
    if given := os.environ.get("GARBO_TEST_KAFKA"):
        yield SharedKafka(given)
    elif _in_container(KafkaContainer.image):
        yield from _while_running(KafkaContainer, lambda server: SharedKafka(server.bootstrap_servers))
    else:
        yield from _while_running(_own_kafka, lambda server: SharedKafka(server.bootstrap_servers))


@pytest.fixture(scope="session")
def postgres() -> Iterator[SharedPostgres]:
    if given := os.environ.get("GARBO_TEST_POSTGRES"):
        yield SharedPostgres(given)
    elif _in_container(PostgresContainer.image):
        yield from _while_running(PostgresContainer, lambda server: SharedPostgres(server.dsn()))
    else:
        yield from _while_running(_own_postgres, lambda server: SharedPostgres(server.dsn()))


@pytest.fixture
def private_kafka() -> Iterator[OwnKafka]:
    """A broker for one test: .stop(), .start(), .kill(), .bootstrap_servers. Always a local process."""
    yield from _while_running(_own_kafka, lambda server: server)


def _own_kafka(home: Path) -> OwnKafka:
    return OwnKafka(home=home, jars=default_data_folder() / "kafka" / "jars")


def _own_postgres(home: Path) -> OwnPostgres:
    return OwnPostgres(home=home)


class KafkaContainer:
    """It must know its address on the host before it starts."""

    image = "apache/kafka:4.3.1"

    def __init__(self, _home: Path) -> None:
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - slow, not always wanted
        from testcontainers.core.wait_strategies import LogMessageWaitStrategy  # noqa: PLC0415

        (port,) = free_ports(1)
        self.bootstrap_servers = f"localhost:{port}"
        container = DockerContainer(self.image).with_bind_ports(9092, port)
        container.with_envs(**{f"KAFKA_{name}": str(value) for name, value in self._settings().items()})
        self._container = container.waiting_for(LogMessageWaitStrategy("Kafka Server started"))

    def _settings(self) -> dict[str, str | int]:
        return {
            "NODE_ID": 1,
            "PROCESS_ROLES": "broker,controller",
            "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
            "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "INTER_BROKER_LISTENER_NAME": "BROKER",
            "LISTENERS": "HOST://:9092,BROKER://:9094,CONTROLLER://:9093",
            "ADVERTISED_LISTENERS": f"HOST://{self.bootstrap_servers},BROKER://localhost:9094",
            "LISTENER_SECURITY_PROTOCOL_MAP": "HOST:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "OFFSETS_TOPIC_NUM_PARTITIONS": 4,
            "OFFSETS_TOPIC_REPLICATION_FACTOR": 1,
            "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": 1,
            "TRANSACTION_STATE_LOG_MIN_ISR": 1,
            "GROUP_INITIAL_REBALANCE_DELAY_MS": 0,
            "AUTO_CREATE_TOPICS_ENABLE": "false",
            "MESSAGE_MAX_BYTES": MAX_MESSAGE_BYTES,
        }

    def start(self) -> None:
        self._container.start()

    def stop(self) -> None:
        self._container.stop()


class PostgresContainer:
    """The official image as it is."""

    image = "postgres:18"

    def __init__(self, _home: Path) -> None:
        from testcontainers.community.postgres import PostgresContainer as Container  # noqa: PLC0415 - as above

        self._container = Container(self.image, driver=None)

    def dsn(self) -> str:
        return str(self._container.get_connection_url())

    def start(self) -> None:
        self._container.start()

    def stop(self) -> None:
        self._container.stop()


def _while_running(make: Callable[[Path], S], offer: Callable[[S], O]) -> Iterator[O]:
    home = Path(tempfile.mkdtemp(prefix="garbo-test-"))
    home.chmod(0o755)
    server = make(home)
    try:
        try:
            server.start()
        except StartRefused as refused:
            pytest.fail(f"no server to test on: {refused}. Or {MEND}", pytrace=False)
        yield offer(server)
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def _way(variable: str) -> str:
    if os.environ.get(variable):
        return f"given by {variable}"
    return "in a container, else as a local process" if _docker_answers() else "as a local process"


def _in_container(image: str) -> bool:
    """Say whether Docker answers and has the image, or gets it; where it does not, say so once."""
    if not _docker_answers():
        return False
    import docker  # type: ignore[import-untyped]  # noqa: PLC0415 - slow, not always wanted; has no types
    from testcontainers.core.config import testcontainers_config  # noqa: PLC0415 - as above

    with closing(docker.from_env(timeout=120, version=DOCKER_API)) as client:
        for name in (testcontainers_config.ryuk_image, image):
            try:
                client.images.get(name)
            except docker.errors.ImageNotFound:
                try:
                    client.images.pull(name)
                except docker.errors.APIError:
                    CHOICES.append(f"Docker has no {name} and cannot pull it: a local process instead")
                    return False
    return True


def _docker_listens() -> bool:
    """Knock before asking: docker's client leaves a socket open where nobody listens."""
    if "DOCKER_HOST" in os.environ:
        return True
    with socket.socket(socket.AF_UNIX) as knocking:
        return knocking.connect_ex(DOCKER_SOCKET) == 0


@cache
def _docker_answers() -> bool:
    if os.environ.get("GARBO_TEST_SERVERS") == "local" or not _docker_listens():
        return False
    import docker  # noqa: PLC0415 - slow, not always wanted

    with closing(docker.from_env(timeout=5, version=DOCKER_API)) as client:
        try:
            return bool(client.ping())
        except (docker.errors.DockerException, OSError):
            return False
