"""What is to run where: ports and folders, read from the environment once."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from garbo.cli.local.ports import LOOPBACK
from garbo.cli.local.workspace import default_data_folder, workspace_root
from garbo.common.errors import StartRefused

HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Ports:
    """One loopback port each; `GARBO_<NAME>_PORT` sets one, `GARBO_PORT_OFFSET` moves all others."""

    ingest: int = 8080
    analytics: int = 8081
    router: int = 8082
    sender: int = 8083
    simulator: int = 8090
    postgres: int = 15432
    kafka: int = 19092
    kafka_controller: int = 19093


@dataclass(frozen=True, slots=True)
class Plan:
    """One installation on this machine."""

    data: Path
    ports: Ports
    business: Path
    policy: Path
    platform: str | None = None
    """Where the real platform is; None: the simulator runs here in its place."""

    def url(self, service: str) -> str:
        """Return where a service answers."""
        return f"http://{LOOPBACK}:{getattr(self.ports, service)}"

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's address."""
        return f"{LOOPBACK}:{self.ports.kafka}"

    @property
    def jars(self) -> Path:
        """Kafka's jars: one copy per clone, whatever the data folder."""
        return default_data_folder() / "kafka" / "jars"


def read_plan(env: Mapping[str, str]) -> Plan:
    """Read GARBO_DATA, GARBO_PORT_OFFSET, GARBO_*_PORT, GARBO_CONFIG and GARBO_POLICY.

    Raises StartRefused with the name of the variable that is wrong.
    """
    local = workspace_root() / "deploy" / "local"
    data = env.get("GARBO_DATA")
    return Plan(
        data=Path(data).expanduser().resolve() if data else default_data_folder(),
        ports=_read_ports(env),
        business=Path(env.get("GARBO_CONFIG") or local / "business.yaml"),
        policy=Path(env.get("GARBO_POLICY") or local / "policy.yaml"),
    )


def port_variable(name: str) -> str:
    """Return the variable that sets this port."""
    return f"GARBO_{name.upper()}_PORT"


def _read_ports(env: Mapping[str, str]) -> Ports:
    offset = _number(env, "GARBO_PORT_OFFSET", default=0, lowest=0)
    chosen: dict[str, int] = {}
    for field in fields(Ports):
        usual = int(field.default) + offset if isinstance(field.default, int) else 0
        chosen[field.name] = _number(env, port_variable(field.name), default=usual, lowest=1)
    taken: dict[int, str] = {}
    for name, port in chosen.items():
        if port > HIGHEST_PORT:
            raise StartRefused(f"{name} would listen on port {port}: set a smaller GARBO_PORT_OFFSET")
        if port in taken:
            raise StartRefused(
                f"{taken[port]} and {name} share port {port}: set another {port_variable(name)}"
            )
        taken[port] = name
    return Ports(**chosen)


def _number(env: Mapping[str, str], name: str, *, default: int, lowest: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not text.isdecimal() or not lowest <= int(text) <= HIGHEST_PORT:
        raise StartRefused(f"{name} is wrong: give a whole number from {lowest} to {HIGHEST_PORT}")
    return int(text)
