"""The same servers as containers, where a Docker engine answers."""

import os
import socket
from contextlib import closing
from functools import cache
from pathlib import Path

from garbo.cli.local.kafka import MAX_MESSAGE_BYTES
from tests.support.ports import free_ports

CHOICES: list[str] = []
"""Said at the end of the run: where Docker answered and still was not taken."""
DOCKER_SOCKET = "/var/run/docker.sock"
DOCKER_API = "1.40"
"""Asked for outright: negotiating it would leave a socket open where no engine answers."""


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


def in_container(image: str) -> bool:
    """Say whether Docker answers and has the image, or gets it; where it does not, say so once."""
    if not docker_answers():
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
def docker_answers() -> bool:
    """Say whether an engine answers and may be used."""
    if os.environ.get("GARBO_TEST_SERVERS") == "local" or not _docker_listens():
        return False
    import docker  # noqa: PLC0415 - slow, not always wanted

    with closing(docker.from_env(timeout=5, version=DOCKER_API)) as client:
        try:
            return bool(client.ping())
        except (docker.errors.DockerException, OSError):
            return False
