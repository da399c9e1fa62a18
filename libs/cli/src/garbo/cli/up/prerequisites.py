"""What must be on the machine before anything starts."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from garbo.cli.local.jars import jars_present
from garbo.cli.local.java import MISSING, OLDEST, java
from garbo.cli.local.ports import is_free
from garbo.cli.local.workspace import kafka_files
from garbo.cli.up.plan import Plan, Ports, port_variable
from garbo.common.errors import StartRefused

APT_S = 600
JAVAS = ("openjdk-21-jre-headless", "openjdk-17-jre-headless", "openjdk-25-jre-headless")
PORTS_OF_SERVICES = ("ingest", "analytics", "router", "sender", "simulator")


def check_ports(plan: Plan, *, services: bool) -> None:
    """Raise StartRefused for the first port that is taken."""
    unused = () if services else PORTS_OF_SERVICES
    for field in fields(Ports):
        port = getattr(plan.ports, field.name)
        if field.name not in unused and not is_free(port):
            variable = port_variable(field.name)
            mend = f"stop what listens there, or type GARBO_PORT_OFFSET=1000 make run (this one: {variable})"
            raise StartRefused(f"port {port} of {field.name} is taken: {mend}")


def ensure_tools(plan: Plan, say: Callable[[str], None]) -> None:
    """See that Java and Maven are there; as root on Debian or Ubuntu install what is missing, announced.

    Raises StartRefused with the line to type.
    """
    need_java = shutil.which("java") is None
    need_maven = shutil.which("mvn") is None and not jars_present(kafka_files() / "pom.xml", plan.jars)
    if need_java or need_maven:
        if not _may_install():
            raise StartRefused(_to_type(need_java=need_java, need_maven=need_maven))
        _install(say, need_java=need_java, need_maven=need_maven)
    java()


def _may_install() -> bool:
    return os.geteuid() == 0 and Path("/etc/debian_version").is_file() and shutil.which("apt-get") is not None


def _to_type(*, need_java: bool, need_maven: bool) -> str:
    if need_java and need_maven:
        return "Java and Maven are missing: type sudo apt-get install default-jre-headless maven"
    return MISSING if need_java else "Maven is missing, it fetches Kafka: type sudo apt-get install maven"


def _install(say: Callable[[str], None], *, need_java: bool, need_maven: bool) -> None:
    _apt(say, "update", "-qq")
    packages = [*([_newest_java()] if need_java else []), *(["maven"] if need_maven else [])]
    _apt(say, "install", "-y", "-qq", "--no-install-recommends", *packages)


def _newest_java() -> str:
    for package in JAVAS:
        policy = subprocess.run(
            ["apt-cache", "policy", package], capture_output=True, text=True, timeout=60, check=False
        ).stdout
        if "Candidate:" in policy and "Candidate: (none)" not in policy:
            return package
    raise StartRefused(f"this system offers no Java {OLDEST} or newer: install one, then type make run")


def _apt(say: Callable[[str], None], *words: str) -> None:
    say(f"apt-get {' '.join(words)}  (typed for you: this is root on Debian or Ubuntu)")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", *words], env=env, capture_output=True, text=True, timeout=APT_S, check=False
    )
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise StartRefused(f"apt-get {words[0]} failed: {' '.join(last)}")
