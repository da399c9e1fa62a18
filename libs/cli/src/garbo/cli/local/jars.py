"""Kafka's jars: fetched by Maven, once per clone, however many processes ask at the same time."""

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
from garbo.common.errors import StartRefused

MAVEN_TIMEOUT_S = 600.0
"""A slow line and a cold repository; on a fast one it takes 6 s."""


def ensure_jars(pom: Path, jars: Path) -> Path:
    """Return the folder `jars` with all jars the pom names, fetching them when it changed.

    Raises StartRefused when Maven is missing or fails.
    """
    wanted = hashlib.sha256(pom.read_bytes()).hexdigest()
    if _stamp(jars) == wanted:
        return jars
    jars.parent.mkdir(parents=True, exist_ok=True)
    with _only_one(jars.with_suffix(".lock")):
        if _stamp(jars) != wanted:
            _fetch(pom, jars, wanted)
    return jars


def jars_present(pom: Path, jars: Path) -> bool:
    """Say whether `ensure_jars` would have nothing to do."""
    return _stamp(jars) == hashlib.sha256(pom.read_bytes()).hexdigest()


def kafka_version(jars: Path) -> str:
    """Return the version of Kafka these jars are, such as `4.3.1`."""
    server = next(jars.glob("kafka_2.13-*.jar"), None)
    if server is None:
        raise StartRefused(f"Kafka's jars are incomplete: type rm -r {jars}, then start again")
    return server.stem.partition("-")[2]


def _stamp(jars: Path) -> str:
    stamp = jars / ".pom.sha256"
    return stamp.read_text().strip() if stamp.is_file() else ""


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _fetch(pom: Path, jars: Path, wanted: str) -> None:
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
        raise StartRefused(f"Maven did not fetch Kafka within {MAVEN_TIMEOUT_S:.0f} s: try again") from None
    if done.returncode != 0:
        wrong = next((line for line in done.stdout.splitlines() if "ERROR" in line), "no word from it")
        raise StartRefused(f"Maven could not fetch Kafka: {wrong}; to see all of it type {' '.join(argv)}")
    (fresh / ".pom.sha256").write_text(wanted)
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
