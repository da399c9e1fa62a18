"""Apache Kafka as one local process: broker and controller in one JVM, data in one folder."""

import base64
import json
import os
import socket
import struct
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from garbo.cli.local.command import Command
from garbo.cli.local.jars import ensure_jars, kafka_version
from garbo.cli.local.java import JAVA_ENV, java
from garbo.cli.local.ports import LOOPBACK
from garbo.cli.local.workspace import kafka_files
from garbo.common.errors import StartRefused

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
_API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)
"""The smallest request a broker answers: ApiVersions v0 (KIP-35)."""

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={host}:{controller}
listeners=CLIENT://{host}:{port},CONTROLLER://{host}:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENT
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
message.max.bytes={largest}
replica.fetch.max.bytes={largest}
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


class KafkaServer:
    """One broker of its own: where its files are, what starts it, whether it answers."""

    def __init__(
        self,
        *,
        home: Path,
        jars: Path,
        port: int,
        controller_port: int,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._home = home
        self._jars = jars
        self._port = port
        self._controller_port = controller_port
        self._more = more
        """Further properties; those of the same name count instead of ours."""

    @property
    def bootstrap_servers(self) -> str:
        """What clients connect to."""
        return f"{LOOPBACK}:{self._port}"

    def prepare(self) -> None:
        """Fetch the jars, write the settings, format the folder when it is new. Takes 1 s then, else nothing.

        Raises StartRefused: no Java, no Maven, or another version's data.
        """
        ensure_jars(kafka_files() / "pom.xml", self._jars)
        self.refuse_other_data()
        self._home.mkdir(parents=True, exist_ok=True)
        self._home.chmod(0o700)  # phones and texts are in there
        self._properties.write_text(
            _PROPERTIES.format(
                host=LOOPBACK,
                port=self._port,
                controller=self._controller_port,
                data=in_properties(self._home / "data"),
                largest=MAX_MESSAGE_BYTES,
            )
            + "".join(f"{name}={value}\n" for name, value in self._more.items())
        )
        if not (self._home / "data" / "meta.properties").is_file():
            self._format()

    def command(self) -> Command:
        """Return what starts the broker."""
        heap = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
        return Command((*self._java(*heap), "kafka.Kafka", str(self._properties)), env=JAVA_ENV)

    def answers(self) -> bool:
        """Say whether the broker answers requests now (not merely listens)."""
        try:
            with socket.create_connection((LOOPBACK, self._port), timeout=1) as peer:
                peer.settimeout(1)
                peer.sendall(_API_VERSIONS)
                return len(peer.recv(4)) > 0
        except OSError:
            return False

    @property
    def _properties(self) -> Path:
        return self._home / "server.properties"

    @property
    def _made_by(self) -> Path:
        return self._home / "made-by.json"

    def _java(self, *options: str) -> tuple[str, ...]:
        log4j = f"-Dlog4j2.configurationFile={kafka_files() / 'log4j2.xml'}"
        return (java(), *options, log4j, "-cp", f"{self._jars}/*")

    def refuse_other_data(self) -> None:
        """Raise StartRefused when the folder was made by a newer Kafka, or by another major version."""
        if not self._made_by.is_file():
            return
        made_by = json.loads(self._made_by.read_text())["kafka"]
        wanted = kafka_version(self._jars)
        if made_by.split(".")[0] != wanted.split(".")[0] or _newer(made_by, wanted):
            raise StartRefused(
                f"{self._home} holds data of Kafka {made_by}, this is {wanted}: type rm -r {self._home}"
            )

    def _format(self) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        fast = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
        # One argument: an id may begin with a dash, which the tool would read as an option.
        named = f"--cluster-id={cluster}"
        tool = (*self._java(*fast), "kafka.tools.StorageTool", "format", "--standalone", named)
        done = subprocess.run(
            [*tool, "-c", str(self._properties)],
            env={**os.environ, **JAVA_ENV},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            raise StartRefused(f"Kafka could not format {self._home}: {' '.join(last)}")
        self._made_by.write_text(json.dumps({"kafka": kafka_version(self._jars)}))


def in_properties(path: Path) -> str:
    r"""Return the path as a .properties file takes it: Latin-1, anything else as \uXXXX (as JSON does)."""
    return json.dumps(str(path))[1:-1]


def _newer(one: str, other: str) -> bool:
    return [int(p) for p in one.split(".")] > [int(p) for p in other.split(".")]
