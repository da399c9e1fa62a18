"""Servers of a test's own, as local processes: to be stopped, started and killed."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


class Child:
    """One server process with its output in a file."""

    def __init__(self, name: str, command: Command, log: Path) -> None:
        self.name = name
        self._command = command
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        if self._process is None or self._process.poll() is not None:
            return None
        return self._process.pid

    def start(self, ready: Callable[[int], bool], *, within_s: float) -> None:
        """Start it and return when `ready(pid)` says so; raises StartRefused when it does not come up."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                self._command.bound_to_us(),
                env={**os.environ, **self._command.env},
                cwd=self._command.cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = monotonic() + within_s
        while not ready(self._process.pid):
            code = self._process.poll()
            if code is not None:
                raise StartRefused(f"{self.name} ended with exit code {code} while starting: {self._tail()}")
            if monotonic() > deadline:
                self.kill()
                raise StartRefused(f"{self.name} was not ready within {within_s:.0f} s: {self._tail()}")
            sleep(POLL_S)

    def stop(self, *, within_s: float = 10) -> None:
        """Ask it to end, wait, and kill it when it does not. Does nothing when it has ended."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(self._command.stop_signal)
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it and all its own children at once, as `kill -9` does."""
        if self._process is None or self._process.poll() is not None:
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

    def _tail(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-3:]) + f" (all of it: {self._log})"


class Listeners(Protocol):
    """What a broker listens on beside the usual."""

    def properties(self, port: int, controller_port: int) -> dict[str, str]:
        """Give the broker's settings for these, and the usual two."""
        ...


class OwnKafka:
    """A broker on free ports, in a folder of its own."""

    def __init__(self, *, home: Path, jars: Path, listeners: Listeners | None = None) -> None:
        port, controller = free_ports(2)
        more = listeners.properties(port, controller) if listeners else {}
        self._server = KafkaServer(home=home, jars=jars, port=port, controller_port=controller, more=more)
        self._log = home / "kafka.log"
        self._child: Child | None = None

    @property
    def bootstrap_servers(self) -> str:
        """What clients connect to; stays the same over stop and start."""
        return self._server.bootstrap_servers

    def start(self) -> None:
        """Start it unless it runs; on return it answers. Blocks 2 to 4 s."""
        if self._child is None:
            self._server.prepare()
            self._child = Child("Kafka", self._server.command(), self._log)
        if self._child.pid is None:
            self._child.start(lambda _: self._server.answers(), within_s=START_S)

    def stop(self) -> None:
        """Stop it in order; its data stays."""
        if self._child is not None:
            self._child.stop(within_s=15)

    def kill(self) -> None:
        """Kill it at once; its data stays as it fell."""
        if self._child is not None:
            self._child.kill()

    def freeze(self) -> None:
        """Let it hold still: connections stay open and nothing answers."""
        if self._child is not None:
            self._child.freeze()

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        if self._child is not None:
            self._child.thaw()


class OwnPostgres:
    """A server on a free port, in a folder of its own, without fsync."""

    def __init__(self, *, home: Path) -> None:
        self._server = PostgresServer(home=home, port=free_ports(1)[0], durable=False)
        self._log = home / "postgres.log"
        self._child: Child | None = None

    def dsn(self, database: str = "postgres") -> str:
        """Return the address of a database."""
        return self._server.dsn(database)

    def start(self) -> None:
        """Start it; on return it accepts connections. Blocks 1 to 3 s."""
        if self._child is None:
            self._server.prepare()
            self._child = Child("PostgreSQL", self._server.command(), self._log)
        self._child.start(self._server.answers, within_s=START_S)

    def stop(self) -> None:
        """Stop it; its data stays."""
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        """Kill it at once; its data stays as it fell."""
        if self._child is not None:
            self._child.kill()


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
