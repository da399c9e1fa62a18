"""Jars, Kafka's first of all: fetched by Maven, once per clone, however many processes ask at the same time.

Each is what `jars.sha256` beside the pom says, or nothing starts. After a change of the pom:
`cd .garbo/kafka/jars && sha256sum *.jar > ../../../deploy/local/kafka/jars.sha256`, and compare what changed.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from garbo.cli.local.java import JAVA_ENV
from garbo.cli.local.tools import missing
from garbo.cli.local.workspace import workspace_root
from garbo.common.errors import StartRefused

LOOKED_AT = ".jars.sha256"
"""In the folder of the jars: the hash of the list they were compared with."""
MAVEN_TIMEOUT_S = 600.0
"""A slow line and a cold repository; on a fast one it takes 6 s."""


def ensure_jars(pom: Path, jars: Path, *, whose: str = "Kafka") -> Path:
    """Return the folder `jars` with all jars the pom names, fetching them when it changed.

    Raises StartRefused when Maven is missing or fails, or when a jar is not the one we know.
    """
    if jars_present(pom, jars) and _looked_at(pom, jars):
        return jars
    jars.parent.mkdir(parents=True, exist_ok=True)
    with _only_one(jars.with_suffix(".lock")):
        if not jars_present(pom, jars):
            _fetch(pom, jars, whose)
        elif not _looked_at(pom, jars):
            _refuse_other_jars(pom, jars, again=jars, whose=whose)
            (jars / LOOKED_AT).write_text(_digest(_list_beside(pom)))
    return jars


def jars_present(pom: Path, jars: Path) -> bool:
    """Say whether `ensure_jars` would have nothing to fetch."""
    stamp = jars / ".pom.sha256"
    return stamp.is_file() and stamp.read_text().strip() == _digest(pom)


def _refuse_other_jars(pom: Path, found: Path, *, again: Path, whose: str) -> None:
    """Raise StartRefused unless `found` holds exactly the jars of `jars.sha256`, byte for byte."""
    lines = (line.split() for line in _list_beside(pom).read_text().splitlines())
    known = {name: digest for digest, name in lines}
    here = {jar.name: jar for jar in found.glob("*.jar")}
    for name in sorted(known.keys() | here.keys()):
        if name not in here:
            fault = f"{name} is missing"
        elif name not in known:
            fault = f"{name} is not among {whose}'s jars"
        elif _digest(here[name]) != known[name]:
            fault = f"{name} is not the file it should be"
        else:
            continue
        raise StartRefused(
            f"{whose}'s jars differ from {_place(_list_beside(pom))}: {fault}. Nothing was started. Type "
            f"rm -rf {again} and start again; if it stays so, do not trust where Maven gets its files"
        )


def kafka_version(jars: Path) -> str:
    """Return the version of Kafka these jars are, such as `4.3.1`."""
    server = next(jars.glob("kafka_2.13-*.jar"), None)
    if server is None:
        raise StartRefused(f"Kafka's jars are incomplete: type rm -r {jars}, then start again")
    return server.stem.partition("-")[2]


def _looked_at(pom: Path, jars: Path) -> bool:
    """Say whether these jars have been compared with the list as it is now."""
    known, mark = _list_beside(pom), jars / LOOKED_AT
    return not known.is_file() or (mark.is_file() and mark.read_text() == _digest(known))


def _list_beside(pom: Path) -> Path:
    return pom.with_name("jars.sha256")


def _place(file: Path) -> str:
    """Name a file as it stands in the clone."""
    root = workspace_root()
    return str(file.relative_to(root) if file.is_relative_to(root) else file)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _fetch(pom: Path, jars: Path, whose: str) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise StartRefused(missing("Maven"))
    fresh = jars.with_suffix(".fetching")
    shutil.rmtree(fresh, ignore_errors=True)
    argv = [maven, "-q", "-B", "-U", "-f", str(pom), "dependency:copy-dependencies", "-DincludeScope=runtime"]
    argv += maven_repository(jars.with_suffix(".repository"))
    try:
        done = subprocess.run(
            [*argv, f"-DoutputDirectory={fresh}"],
            env={**os.environ, **JAVA_ENV},
            capture_output=True,
            text=True,
            timeout=MAVEN_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise StartRefused(f"Maven did not fetch {whose} within {MAVEN_TIMEOUT_S:.0f} s: try again") from None
    if done.returncode != 0:
        wrong = next((line for line in done.stdout.splitlines() if "ERROR" in line), "no word from it")
        raise StartRefused(f"Maven could not fetch {whose}: {wrong}; to see all of it type {' '.join(argv)}")
    _refuse_other_jars(pom, fresh, again=fresh, whose=whose)
    (fresh / ".pom.sha256").write_text(_digest(pom))
    (fresh / LOOKED_AT).write_text(_digest(_list_beside(pom)))
    shutil.rmtree(jars, ignore_errors=True)
    os.replace(fresh, jars)  # noqa: PTH105 - one atomic step, whoever looks


def maven_repository(instead: Path) -> list[str]:
    """Return the option that keeps Maven out of a home where it may not write; nothing where it may.

    Java takes the home from the list of users, whatever HOME says.
    """
    try:
        home = Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        home = Path("/dev/null")
    folder = home / ".m2" if (home / ".m2").exists() else home
    return [] if folder.is_dir() and os.access(folder, os.W_OK) else [f"-Dmaven.repo.local={instead}"]
