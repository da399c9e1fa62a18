"""Real servers for every integration test: `kafka`, `postgres`, and `private_kafka` for faults.

Where they come from, in this order: GARBO_TEST_KAFKA (bootstrap servers) and GARBO_TEST_POSTGRES (DSN of a
superuser); containers where a Docker engine answers, unless GARBO_TEST_SERVERS=local; local processes.
Each process of a parallel run has its own: a broker takes 2 s and 230 MB, and no topic, group or lock of one
process is in another's way.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest
from hypothesis import settings
from xdist.remote import Producer

from garbo.cli.local.workspace import default_data_folder
from garbo.common.errors import StartRefused
from tests.support.containers import (
    CHOICES,
    KafkaContainer,
    PostgresContainer,
    docker_answers,
    in_container,
)
from tests.support.folders import home_of_a_server, remove_what_was_left, write_to_memory
from tests.support.own_s3 import OwnS3
from tests.support.own_servers import OwnKafka, OwnPostgres
from tests.support.servers import SharedKafka, SharedPostgres
from tests.support.side_by_side import ByFile, longest_first, workers_count

MEND = "type .venv/bin/garbo doctor to see what is missing, or give GARBO_TEST_KAFKA and GARBO_TEST_POSTGRES"


class Server(Protocol):
    def start(self) -> object: ...
    def stop(self) -> object: ...


S = TypeVar("S", bound=Server)
O = TypeVar("O")  # noqa: E741 - what is offered


def pytest_configure(config: pytest.Config) -> None:
    settings.register_profile("garbo", deadline=None)  # it would tell how busy the machine is, and no more
    settings.load_profile("garbo")
    if not hasattr(config, "workerinput"):
        write_to_memory()
        remove_what_was_left()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return workers_count()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    longest_first(items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["choices"] = CHOICES


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401 - xdist's WorkerController, without types
    told = getattr(node, "workeroutput", {}).get("choices", [])
    CHOICES.extend(choice for choice in told if choice not in CHOICES)


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
    elif in_container(KafkaContainer.image):
        yield from _while_running(KafkaContainer, lambda server: SharedKafka(server.bootstrap_servers))
    else:
        yield from _while_running(_own_kafka, lambda server: SharedKafka(server.bootstrap_servers))


@pytest.fixture(scope="module")
def postgres(postgres_server: SharedPostgres) -> Iterator[SharedPostgres]:
    """The database server of this run: what a module made there is gone after it."""
    yield postgres_server
    postgres_server.forget_databases()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[SharedPostgres]:
    if given := os.environ.get("GARBO_TEST_POSTGRES"):
        shared = SharedPostgres(given)
        yield shared
        shared.forget_templates()
    elif in_container(PostgresContainer.image):
        yield from _while_running(PostgresContainer, lambda server: SharedPostgres(server.dsn()))
    else:
        yield from _while_running(_own_postgres, lambda server: SharedPostgres(server.dsn()))


@pytest.fixture
def private_kafka(fault_kafka: OwnKafka) -> OwnKafka:
    """A broker to .stop(), .start() and .kill(), at .bootstrap_servers. It runs and has no topic of ours."""
    fault_kafka.start()
    SharedKafka(fault_kafka.bootstrap_servers).forget_topics()
    return fault_kafka


@pytest.fixture(scope="session")
def fault_kafka() -> Iterator[OwnKafka]:
    """Always a local process; tests of faults come one after the other."""
    yield from _while_running(_own_kafka, lambda server: server)


@pytest.fixture
def untouched_kafka() -> Iterator[OwnKafka]:
    """A broker nobody has spoken to yet."""
    yield from _while_running(_own_kafka, lambda server: server)


@pytest.fixture(scope="session")
def own_s3() -> Iterator[OwnS3]:
    """An S3 server over a folder: always a local process."""
    yield from _while_running(_own_s3, lambda server: server)


def _own_s3(home: Path) -> OwnS3:
    return OwnS3(home=home)


def _own_kafka(home: Path) -> OwnKafka:
    return OwnKafka(home=home, jars=default_data_folder() / "kafka" / "jars")


def _own_postgres(home: Path) -> OwnPostgres:
    return OwnPostgres(home=home)


def _while_running(make: Callable[[Path], S], offer: Callable[[S], O]) -> Iterator[O]:
    with home_of_a_server() as home:
        server = make(home)
        try:
            try:
                server.start()
            except StartRefused as refused:
                pytest.fail(f"no server to test on: {refused}. Or {MEND}", pytrace=False)
            yield offer(server)
        finally:
            server.stop()


def _way(variable: str) -> str:
    if os.environ.get(variable):
        return f"given by {variable}"
    return "in a container, else as a local process" if docker_answers() else "as a local process"
