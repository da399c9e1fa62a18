"""Where Kafka, database and services are: the environment says, else what runs from this clone."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from garbo.cli.postgres_roles import RoleSettings
from garbo.cli.rights.apply import UserSettings
from garbo.cli.up.environment import DEMO_KEYS
from garbo.cli.up.live import PLATFORM
from garbo.cli.up.plan import read_plan
from garbo.cli.up.programs import DATABASE, postgres_of
from garbo.cli.up.runfile import RunFile
from garbo.common.errors import StartRefused
from garbo.common.runtime import broker
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.settings import ServiceSettings, WithKafka, load, variable_of


class CommandSettings(WithKafka):
    """What a command needs to know to reach Kafka."""

    service: ClassVar[str] = "cli"


def kafka_of(env: Mapping[str, str]) -> KafkaSettings:
    """Read GARBO_KAFKA_*; without GARBO_KAFKA_BOOTSTRAP_SERVERS the broker of this clone."""
    told = _told(CommandSettings, env)
    if not any(name.startswith("GARBO_KAFKA_BOOTSTRAP_SERVERS") for name in told):
        told["GARBO_KAFKA_BOOTSTRAP_SERVERS"] = read_plan(env).bootstrap_servers
    return broker.kafka_of(load(CommandSettings, told))


def dsn_of(env: Mapping[str, str]) -> str:
    """Read GARBO_POSTGRES_DSN (or _FILE), else find the database of this clone; StartRefused without one."""
    if file := env.get("GARBO_POSTGRES_DSN_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise StartRefused(f"GARBO_POSTGRES_DSN_FILE cannot be read: {error.strerror} ({file})") from None
    if dsn := env.get("GARBO_POSTGRES_DSN"):
        return dsn
    try:
        return postgres_of(read_plan(env)).dsn(DATABASE)
    except FileNotFoundError:
        raise StartRefused("there is no database here: type make run, or set GARBO_POSTGRES_DSN") from None


def role_settings_of(env: Mapping[str, str]) -> RoleSettings:
    """Read which role each service has in the database, and whether it is to be made."""
    return load(RoleSettings, _told(RoleSettings, env))


def user_settings_of(env: Mapping[str, str]) -> UserSettings:
    """Read the passwords of Kafka's users."""
    return load(UserSettings, _told(UserSettings, env))


def _told(settings: type[ServiceSettings], env: Mapping[str, str]) -> dict[str, str]:
    """Give what is said to these settings: commands share their environment with everybody."""
    wanted = {variable_of(settings, field) for field in settings.model_fields}
    return {n: value for n, value in env.items() if n in wanted or n.removesuffix("_FILE") in wanted}


def url_of(env: Mapping[str, str], service: str) -> str:
    """Read GARBO_URL_<SERVICE>, else where the service of this clone answers."""
    return (env.get(f"GARBO_URL_{service.upper()}") or read_plan(env).url(service)).rstrip("/")


def graph_url_of(env: Mapping[str, str]) -> str:
    """Read GARBO_GRAPH_URL, else what stands for WhatsApp in this clone's run, else WhatsApp itself."""
    run = RunFile(read_plan(env).data).read()
    return env.get("GARBO_GRAPH_URL") or (run.platform if run else "") or PLATFORM


def business_of(env: Mapping[str, str]) -> Path:
    """Read GARBO_CONFIG, else find the file of this clone's run, else the demo's."""
    plan = read_plan(env)
    run = RunFile(plan.data).read()
    return Path(run.business) if run and run.business and not env.get("GARBO_CONFIG") else plan.business


def api_key_of(env: Mapping[str, str]) -> str:
    """Read GARBO_API_KEY, else the demo's."""
    return env.get("GARBO_API_KEY") or DEMO_KEYS["shop"]
