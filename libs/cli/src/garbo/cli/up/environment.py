"""What the processes are told: addresses, demo keys, and secrets made up once for this data folder."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from garbo.cli.up.plan import Plan

SERVICES = ("ingest", "router", "sender", "analytics")
WITH_SCHEMA = ("router", "sender", "analytics")
"""The services that own a schema, in the order in which they are migrated."""
DEMO_KEYS = {"shop": "demo-shop-key", "helpdesk": "demo-helpdesk-key", "ops": "demo-ops-key"}
"""The keys whose hashes stand in deploy/local/business.yaml: known to everyone, for the demo alone."""
GENERATED = ("WHATSAPP_APP_SECRETS", "WHATSAPP_VERIFY_TOKEN", "HASH_KEY")
READERS: Final[Mapping[str, tuple[str, ...]]] = {
    "GARBO_HASH_KEY": ("ingest", "router"),
    "GARBO_WHATSAPP_APP_SECRETS": ("ingest", "simulator", "business"),
    "GARBO_WHATSAPP_VERIFY_TOKEN": ("ingest",),
    "GARBO_GRAPH_APP_SECRET": ("sender",),
    "GARBO_MEDIA_S3_ACCESS_KEY": ("sender",),
    "GARBO_MEDIA_S3_SECRET_KEY": ("sender",),
    "GARBO_SIMULATOR_API_KEY": ("business",),
    "GARBO_SIMULATOR_CARE_API_KEY": ("business",),
}
"""Who reads a secret; nobody else is told it."""
_OURS = (
    "GARBO_DATA",
    "GARBO_PORT_OFFSET",
    "GARBO_KAFKA_PORT",
    "GARBO_KAFKA_CONTROLLER_PORT",
    "GARBO_POSTGRES_PORT",
    "GARBO_API_KEY",
)


def ensure_secrets(plan: Plan) -> dict[str, str]:
    """Return the installation's own secrets, making those that are missing (readable by us alone)."""
    folder = plan.data / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {f"GARBO_{name}": _kept(folder / name.lower()) for name in GENERATED}


def role_passwords(plan: Plan) -> dict[str, str]:
    """Return the password of each service's database role, making those that are missing."""
    folder = plan.data / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {service: _kept(folder / f"postgres_{service}_password") for service in WITH_SCHEMA}


def told_to(name: str, env: Mapping[str, str], dsns: Mapping[str, str]) -> dict[str, str]:
    """Let a process have the secrets it reads and its own way into the database, and no others."""
    theirs = {
        variable: value
        for variable, value in env.items()
        if not variable.startswith("GARBO_POSTGRES_")
        and name in READERS.get(variable.removesuffix("_FILE"), (name,))
    }
    return theirs | ({"GARBO_POSTGRES_DSN": dsns[name]} if name in dsns else {})


def children_environment(plan: Plan, env: Mapping[str, str], *, dsn: str, demo: bool) -> dict[str, str]:
    """Return the whole environment of the services, the simulator and the demo business.

    What the caller set for them is kept, except the addresses of what runs here. With `demo` the
    simulator's customers do all they can, without it they rest.
    """
    quiet = {"GARBO_SIMULATOR_CONTROL": '{"population": {"on": false}}'}
    mood = {"GARBO_SIMULATOR_LIVELY": "true"} if demo else quiet
    told = {name: value for name, value in env.items() if name not in _OURS}
    for name in ("GARBO_KAFKA_BOOTSTRAP_SERVERS", "GARBO_POSTGRES_DSN", "GARBO_GRAPH_URL"):
        told.pop(f"{name}_FILE", None)
    told |= {
        "GARBO_KAFKA_BOOTSTRAP_SERVERS": plan.bootstrap_servers,
        "GARBO_POSTGRES_DSN": dsn,
        "GARBO_GRAPH_URL": plan.platform or plan.url("simulator"),
        "GARBO_CONFIG": str(plan.business),
        "GARBO_POLICY": str(plan.policy),
    }
    for name in (*SERVICES, "simulator"):
        told[f"GARBO_{name.upper()}_PORT"] = str(getattr(plan.ports, name))
    for name, value in (_usual(plan) | mood | ensure_secrets(plan)).items():
        if name not in told and f"{name}_FILE" not in told:
            told[name] = value
    return told


def _usual(plan: Plan) -> dict[str, str]:
    usual = {f"GARBO_{name.upper()}_HOST": "127.0.0.1" for name in (*SERVICES, "simulator")}
    return usual | {
        "PYTHONUNBUFFERED": "1",
        "GARBO_LOG_FORMAT": "console",
        "GARBO_SIMULATOR_URL": plan.url("simulator"),
        "GARBO_SIMULATOR_INGEST_URL": plan.url("ingest"),
        "GARBO_SIMULATOR_WEBHOOK_URL": f"{plan.url('ingest')}/webhooks/whatsapp",
        "GARBO_SIMULATOR_LEDGER": str(plan.data / "simulator" / "ledger.jsonl"),
        "GARBO_MEDIA_STORE": (plan.data / "media").absolute().as_uri(),
        "GARBO_SIMULATOR_API_KEY": DEMO_KEYS["shop"],
        "GARBO_SIMULATOR_CARE_API_KEY": DEMO_KEYS["helpdesk"],
    }


def _kept(file: Path) -> str:
    if not file.is_file():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(24))
    return file.read_text().strip()
