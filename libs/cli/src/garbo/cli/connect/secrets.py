"""Where commands find secrets: a file, the standard input or the environment; never an argument."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from garbo.common.errors import StartRefused

STDIN: Final = "-"
ENVIRONMENT: Final = "env:"


def token_from(source: str, env: Mapping[str, str]) -> str:
    """Read a token from a file, from `-`, or from `env:NAME`; raises `StartRefused` where there is none."""
    if source == STDIN:
        return _told(sys.stdin.readline(), "the standard input")
    if source.startswith(ENVIRONMENT):
        name = source.removeprefix(ENVIRONMENT)
        return _told(env.get(name, ""), f"the variable {name}")
    return _told(read_file(Path(source), "the token's file"), source)


def secret_from(file: Path | None, env: Mapping[str, str], name: str) -> str | None:
    """Read a secret from a file, else from `GARBO_...` or `GARBO_..._FILE`; None where it is not told."""
    if file is not None:
        return _told(read_file(file, str(file)), str(file))
    if named := env.get(f"{name}_FILE"):
        return _told(read_file(Path(named), f"{name}_FILE"), named)
    return env.get(name, "").strip() or None


def read_file(path: Path, what: str) -> str:
    """Read a file; raises `StartRefused`."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise StartRefused(f"{what} cannot be read: {why} ({path})") from None


def write_secret(path: Path, secret: str) -> None:
    """Write a secret that nobody else can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"{secret}\n")


def _told(text: str, where: str) -> str:
    words = text.split()
    if len(words) != 1:
        raise StartRefused(f"{where} holds no token: it must be one word, and nothing else")
    return words[0]
