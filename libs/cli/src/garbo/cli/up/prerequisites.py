"""What must be on the machine before anything starts."""

import os
import pwd
import shutil
from dataclasses import fields
from pathlib import Path

from garbo.cli.local.jars import jars_present
from garbo.cli.local.java import java
from garbo.cli.local.ports import is_free
from garbo.cli.local.tools import missing
from garbo.cli.local.workspace import kafka_files
from garbo.cli.up.plan import Plan, Ports, port_variable
from garbo.cli.up.programs import postgres_of
from garbo.common.errors import StartRefused

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


def check_tools(plan: Plan) -> None:
    """Raise StartRefused, with the line to type, when Java or Maven is missing and needed."""
    lacking = [] if shutil.which("java") else ["Java"]
    if shutil.which("mvn") is None and not jars_present(kafka_files() / "pom.xml", plan.jars):
        lacking.append("Maven")
    if lacking:
        raise StartRefused(missing(*lacking))
    java()


def check_user(plan: Plan) -> None:
    """Raise StartRefused, before anything is written, when it cannot go well as this user."""
    home = os.environ.get("HOME", "")
    if Path(home).is_dir() and not os.access(home, os.X_OK):
        raise StartRefused(f"HOME={home} is closed to this user: type HOME={plan.data} make run")
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        mend = f"type sudo useradd --uid {os.geteuid()} garbo"
        raise StartRefused(f"user {os.geteuid()} has no name, PostgreSQL needs one: {mend}") from None
    postgres_of(plan).refuse_other_owner()
