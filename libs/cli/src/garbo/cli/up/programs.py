"""The programs of one installation, and how each is known to be ready."""

import sys

from garbo.cli.local.command import Command
from garbo.cli.local.kafka import KafkaServer
from garbo.cli.local.postgres import PostgresServer
from garbo.cli.up.plan import Plan

DATABASE = "garbo"
BUSINESS = "business"
SIMULATOR = "simulator"
_MODULES = {BUSINESS: "garbo.simulator.business"}


def kafka_of(plan: Plan) -> KafkaServer:
    """Return this installation's broker."""
    home = plan.data / "kafka" / "server"
    ports = plan.ports
    return KafkaServer(home=home, jars=plan.jars, port=ports.kafka, controller_port=ports.kafka_controller)


def postgres_of(plan: Plan) -> PostgresServer:
    """Return this installation's database server: durable, unlike the one of tests."""
    return PostgresServer(home=plan.data / "postgres", port=plan.ports.postgres, durable=True)


def command_of(name: str) -> Command:
    """Return what starts a service, the simulator or the demo business."""
    return Command((sys.executable, "-m", _MODULES.get(name, f"garbo.{name}")))
