"""`garbo up` as a person uses it: started, refused a second time, interrupted, killed, started again."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest

from garbo.cli.up.plan import Ports, port_variable
from garbo.cli.up.runfile import RunFile
from tests.support.ports import free_ports

pytestmark = pytest.mark.integration
UP_S = 90.0
NAMES = tuple(Ports.__slots__)
IN_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


class Installation:
    """One data folder with ports of its own, driven through the command line."""

    def __init__(self, home: Path) -> None:
        self.data = home / "data"
        self._said = home / "said.txt"
        ports = free_ports(len(NAMES))
        own = {port_variable(name): str(port) for name, port in zip(NAMES, ports, strict=True)}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GARBO_")}
        self.env = clean | own | {"GARBO_DATA": str(self.data)}
        self.process: subprocess.Popen[bytes] | None = None

    def up(self, *options: str) -> int:
        """Start and wait for the table; returns the process id."""
        process = self.start(sys.executable, "-m", "garbo.cli", "up", *(options or ("--no-services",)))
        self.until("Garbo is up")
        return process.pid

    def start(self, *argv: str) -> subprocess.Popen[bytes]:
        """Start a process whose words `said` keeps."""
        self._said.write_bytes(b"")
        with self._said.open("ab") as out:
            self.process = subprocess.Popen(argv, env=self.env, stdin=subprocess.PIPE, stdout=out, stderr=out)
        return self.process

    def until(self, text: str) -> None:
        """Wait until it said this."""
        deadline = monotonic() + UP_S
        while text not in self.said:
            ended = self.process is None or self.process.poll() is not None
            assert not (ended and text not in self.said), f"ended:\n{self.said}"
            assert monotonic() < deadline, f"{text!r} was not said:\n{self.said}"
            sleep(0.05)

    def garbo(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        argv = [sys.executable, "-m", "garbo.cli", *words]
        return subprocess.run(argv, env=self.env, capture_output=True, text=True, timeout=60, check=False)

    def pid_of(self, name: str) -> int:
        """Return the process id of one that `garbo up` started, as its run file has it."""
        run = RunFile(self.data).read()
        assert run is not None
        return run.children[name][0]

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.communicate(timeout=20)
        return self.process.returncode

    def clear_away(self) -> None:
        """Stop whatever a test that started it has left."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=10)
        self.garbo("stop")

    @property
    def said(self) -> str:
        return self._said.read_text(errors="replace")

    def processes(self) -> list[psutil.Process]:
        """Return every living process that works in this data folder."""
        found: list[psutil.Process] = []
        for process in psutil.process_iter(["cmdline", "status"]):
            words = process.info["cmdline"] or []
            if (
                any(str(self.data) in word for word in words)
                and process.info["status"] != psutil.STATUS_ZOMBIE
            ):
                found.append(process)
        return found


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    tmp_path.chmod(0o755)
    installed = Installation(tmp_path)
    yield installed
    installed.clear_away()


def test_ctrl_c_ends_everything_with_0_and_leaves_neither_process_nor_lock(
    installation: Installation,
) -> None:
    installation.up()
    assert len(installation.processes()) >= 2
    for private in ("secrets", "kafka/server"):
        assert (installation.data / private).stat().st_mode & 0o777 == 0o700
    assert installation.end(signal.SIGINT) == 0
    assert installation.processes() == []
    assert list((installation.data / "run").iterdir()) == []


def test_a_second_start_is_refused_in_one_line_while_the_first_goes_on(installation: Installation) -> None:
    first = installation.up()
    second = installation.garbo("up", "--no-services")
    assert second.returncode == 1
    assert second.stderr.splitlines() == [second.stderr.strip()]
    assert f"already runs from this folder as process {first}" in second.stderr
    assert installation.garbo("topics", "plan").stdout.startswith("nothing to do")
    assert installation.garbo("stop").stdout.strip().endswith("stopped")
    assert installation.process is not None
    assert installation.process.wait(20) == 0


def test_a_process_that_ends_unasked_is_announced_and_started_again_only_when_asked(
    installation: Installation,
) -> None:
    installation.up()
    os.kill(installation.pid_of("postgres"), signal.SIGKILL)
    installation.until("postgres ended unasked, exit code 137 (SIGKILL)")
    assert "garbo restart postgres" in installation.said
    again = installation.garbo("restart", "postgres")
    assert (again.returncode, again.stdout.splitlines()[-1]) == (0, "postgres is ready")
    assert installation.garbo("restart", "nobody").returncode == 1
    assert installation.end(signal.SIGTERM) == 0


def test_what_a_kill_9_left_behind_is_mended_by_the_next_start(installation: Installation) -> None:
    installation.up()
    installation.end(signal.SIGKILL)
    assert RunFile(installation.data).read() is not None
    assert "was killed" in installation.garbo("doctor").stdout
    installation.up()
    assert installation.garbo("migrate").stdout.strip() == "nothing to do: all migrations are applied"
    assert installation.end(signal.SIGINT) == 0
    assert installation.processes() == []


def test_ctrl_c_under_make_ends_make_with_0_as_well(installation: Installation, tmp_path: Path) -> None:
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"run:\n\t@exec {sys.executable} -m garbo.cli up --no-services\n")
    terminal = installation.start(sys.executable, "-c", IN_A_TERMINAL, "make", "-f", str(makefile), "run")
    installation.until("Garbo is up")
    assert terminal.stdin is not None
    terminal.stdin.write(b"\x03")
    terminal.stdin.flush()
    assert terminal.wait(20) == 0, installation.said
    assert "Error" not in installation.said
    assert installation.processes() == []


def test_counts_agree_after_a_service_was_killed_and_started_again(installation: Installation) -> None:
    installation.up("--no-demo")
    well = installation.garbo("doctor")
    assert well.stdout.splitlines()[-1] == "all is well", well.stdout
    asked = ("send", "--purpose", "utility", "--template", "case_followup", "--to")
    assert installation.garbo(*asked, "+393331234567").returncode == 0
    os.kill(installation.pid_of("router"), signal.SIGKILL)
    installation.until("router ended unasked, exit code 137 (SIGKILL)")
    assert installation.garbo("doctor").returncode == 1
    assert installation.garbo(*asked, "+393331234568").returncode == 0
    assert installation.garbo("restart", "router").returncode == 0
    counted = installation.garbo("doctor", "--ledger", "--quiet", "--settle", "60")
    assert counted.returncode == 0, counted.stdout + counted.stderr
    assert [word for word in counted.stdout.split() if word == "2"] == ["2"] * 8
    began = monotonic()
    assert installation.end(signal.SIGINT) == 0
    assert monotonic() - began < 15
    assert installation.processes() == []
