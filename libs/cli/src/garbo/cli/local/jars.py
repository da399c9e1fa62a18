"""Kafka's jars: fetched by Maven, once per clone, however many processes ask at the same time."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
        raise StartRefused("Maven is missing, it fetches Kafka: type sudo apt-get install maven")
    fresh = jars.with_suffix(".fetching")
    shutil.rmtree(fresh, ignore_errors=True)
    argv = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", "-DincludeScope=runtime"]
    try:
        done = subprocess.run(
            [*argv, f"-DoutputDirectory={fresh}"],
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
