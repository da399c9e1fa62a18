"""A bare container with git, make and a copy of the repository, driven by the `docker` command."""

import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

PREPARE_S = 600
GIT_AND_MAKE = "apt-get update -qq && apt-get install -y -qq --no-install-recommends git make"


def engine_answers() -> bool:
    """Say whether a Docker engine can be asked for containers."""
    try:
        asked = subprocess.run(("docker", "version"), capture_output=True, timeout=20, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


class Container:
    """A machine nobody has touched, but for git, make and /garbo.git; it is gone when the block ends."""

    def __init__(self, image: str, repository: Path) -> None:
        self._image = image
        self._repository = repository
        self._id = ""

    def __enter__(self) -> Self:
        self._id = _docker("run", "--detach", self._image, "sleep", "infinity").strip()
        try:
            self.run(GIT_AND_MAKE)
            _docker("cp", str(self._repository), f"{self._id}:/garbo.git")
            self.run("rm -rf /var/lib/apt/lists/*")
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def run(self, line: str, *, user: str = "root", within_s: float = PREPARE_S) -> str:
        """Run a line of shell in its user's home and return what it printed; raises CalledProcessError."""
        return _docker(*self._exec(user), f"cd && {line}", within_s=within_s)

    def start(self, line: str, *, user: str) -> "Started":
        """Start a line of shell, in the home of its user, that stays."""
        return Started(("docker", *self._exec(user), f"cd && {line}"))

    def _exec(self, user: str) -> tuple[str, ...]:
        return ("exec", "--user", user, self._id, "sh", "-c")

    def _remove(self) -> None:
        _docker("rm", "--force", "--volumes", self._id)


class Started:
    """A program in the container, and what it has said."""

    def __init__(self, argv: tuple[str, ...]) -> None:
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the program
        self._process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=self._out, stderr=subprocess.STDOUT
        )

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def wait(self, within_s: float) -> int:
        """Wait for its end; raises TimeoutExpired."""
        return self._process.wait(within_s)

    def said(self) -> list[str]:
        """Return its lines so far."""
        self._out.seek(0)
        return self._out.read().decode(errors="replace").splitlines()


def _docker(*words: str, within_s: float = PREPARE_S) -> str:
    return subprocess.run(
        ("docker", *words),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within_s,
        check=True,
    ).stdout
