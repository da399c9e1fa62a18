"""Servers of a test's own, as local processes: to be stopped, started and killed."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Final, Protocol

from garbo.cli.local.command import Command
from garbo.cli.local.kafka import KafkaServer
from garbo.cli.local.postgres import PostgresServer
from garbo.cli.local.workspace import default_data_folder
from garbo.common.errors import StartRefused
from tests.support.ports import free_ports

START_S: Final = 60.0
POLL_S: Final = 0.03


class OwnServer:
    """One server as a process: what it keeps, and where clients find it, stay over stop, kill and start."""

    def __init__(
        self,
        name: str,
        *,
        prepare: Callable[[], Command],
        ready: Callable[[int], bool],
        log: Path,
        stop_within_s: float = 10,
    ) -> None:
        """Make it; `prepare` is called once, before the first start, and `ready` with the process id."""
        self._name, self._prepare, self._ready, self._log = name, prepare, ready, log
        self._stop_within_s = stop_within_s
        self._command: Command | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        if self._process is None or self._process.poll() is not None:
            return None
        return self._process.pid

    def start(self) -> None:
        """Start it unless it runs; on return it answers. Blocks 1 to 4 s.

        Raises StartRefused when it does not come up.
        """
        if self.pid is not None:
            return
        self._command = self._command or self._prepare()
        process = self._process = self._spawn(self._command)
        deadline = monotonic() + START_S
        while not self._ready(process.pid):
            code = process.poll()
            if code is not None:
                raise StartRefused(f"{self._name} ended with exit code {code} while starting: {self._tail()}")
            if monotonic() > deadline:
                self.kill()
                raise StartRefused(f"{self._name} was not ready within {START_S:.0f} s: {self._tail()}")
            sleep(POLL_S)

    def stop(self) -> None:
        """Ask it to end, wait, and kill it when it does not. Does nothing when it has ended."""
        if self._process is None or self._command is None or self.pid is None:
            return
        self._process.send_signal(self._command.stop_signal)
        try:
            self._process.wait(self._stop_within_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it and all its own children at once, as `kill -9` does."""
        if self._process is None or self.pid is None:
            return
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def freeze(self) -> None:
        """Let it hold still: its sockets stay open and nothing answers, as after a network has gone."""
        if self.pid is not None:
            os.killpg(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        if self.pid is not None:
            os.killpg(self.pid, signal.SIGCONT)

    def _spawn(self, command: Command) -> subprocess.Popen[bytes]:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as out:
            return subprocess.Popen(
                command.bound_to_us(),
                env={**os.environ, **command.env},
                cwd=command.cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _tail(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-3:]) + f" (all of it: {self._log})"


class Listeners(Protocol):
    """What a broker listens on beside the usual."""

    def properties(self, port: int, controller_port: int) -> dict[str, str]:
        """Give the broker's settings for these, and the usual two."""
        ...


class OwnKafka(OwnServer):
    """A broker on free ports, in a folder of its own."""

    def __init__(self, *, home: Path, jars: Path, listeners: Listeners | None = None) -> None:
        port, controller = free_ports(2)
        more = listeners.properties(port, controller) if listeners else {}
        server = KafkaServer(home=home, jars=jars, port=port, controller_port=controller, more=more)
        super().__init__(
            "Kafka",
            prepare=partial(_prepared, server),
            ready=lambda _: server.answers(),
            log=home / "kafka.log",
            stop_within_s=15,
        )
        self.bootstrap_servers: Final = server.bootstrap_servers
        """What clients connect to."""


class OwnPostgres(OwnServer):
    """A server on a free port, in a folder of its own, without fsync."""

    def __init__(self, *, home: Path) -> None:
        server = PostgresServer(home=home, port=free_ports(1)[0], durable=False)
        super().__init__(
            "PostgreSQL", prepare=partial(_prepared, server), ready=server.answers, log=home / "postgres.log"
        )
        self._server = server

    def dsn(self, database: str = "postgres") -> str:
        """Return the address of a database."""
        return self._server.dsn(database)


def _prepared(server: KafkaServer | PostgresServer) -> Command:
    server.prepare()
    return server.command()


@contextmanager
def both_servers() -> Iterator[tuple[OwnKafka, OwnPostgres, Path]]:
    """Run a broker and a database of one's own, and give the folder they are in; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="garbo-chaos-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        kafka = OwnKafka(home=folder / "kafka", jars=default_data_folder() / "kafka" / "jars")
        postgres = OwnPostgres(home=folder / "postgres")
        try:
            kafka.start()
            postgres.start()
            yield kafka, postgres, folder
        finally:
            postgres.stop()
            kafka.stop()
