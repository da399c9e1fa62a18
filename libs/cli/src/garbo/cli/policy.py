"""What can be said of a policy file with nothing running: whether it may be put in force, and its schema."""

import json
from pathlib import Path
from typing import Annotated

import typer

from garbo.common.errors import StartRefused
from garbo.router.inbound.policy_file.load import PolicyFile, PolicyRefused, load_policy_file
from garbo.router.inbound.policy_file.policy_model import policy_schema as schema_of_a_policy


def policy_check(file: Annotated[Path, typer.Argument(help="The policy file.")]) -> None:
    """Read a policy and run its own tests, as the router does before it is in force."""
    try:
        checked = load_policy_file(file)
    except PolicyRefused as refused:
        lines = refused.lines(str(file))
        counted = "1 fault" if len(lines) == 1 else f"{len(lines)} faults"
        raise StartRefused("\n".join([f"{counted}, not to be put in force:", *lines])) from None
    _print_checked(file, checked)


def policy_schema() -> None:
    """Print the JSON Schema of policy files."""
    typer.echo(json.dumps(schema_of_a_policy(), indent=2, ensure_ascii=False))


def _print_checked(file: Path, checked: PolicyFile) -> None:
    policy = checked.policy
    for warning in checked.warnings:
        typer.echo(f"warning: {warning}")
    typer.echo(f"ok       {file}: policy {policy.name}")
    typer.echo(f"version  {policy.version}")
    typer.echo(f"rules    {len(policy.rules)}: {', '.join(rule.reach.id for rule in policy.rules)}")
    typer.echo(f"tests    {checked.tests} of its own passed" if checked.tests else "tests    none of its own")
