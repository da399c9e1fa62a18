"""The Java that Kafka runs on."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from garbo.cli.local.tools import missing, what_to_type
from garbo.common.errors import StartRefused

OLDEST = 17
"""Kafka 4 brokers need Java 17 (kafka.apache.org/documentation/#java, read 2026-11-23)."""

JAVA_ENV: Mapping[str, str] = MappingProxyType({"LC_ALL": "C.UTF-8"})
"""Without a locale, as on a bare server, Java reads a path with an accent as question marks."""


def java() -> str:
    """Return the path of a `java` new enough for Kafka; raises StartRefused when there is none."""
    found = shutil.which("java")
    if found is None:
        raise StartRefused(missing("Java"))
    version = java_version(found)
    if version < OLDEST:
        mend = what_to_type("Java")
        raise StartRefused(f"Java {version} is too old, Kafka needs {OLDEST}: type {mend}")
    return found


@cache
def java_version(path: str) -> int:
    """Return the major version of that `java`; 0 when it does not say."""
    done = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=30, check=False)
    match = re.search(r'version "(\d+)(?:\.(\d+))?', done.stderr)
    if match is None:
        return 0
    major = int(match[1])
    return int(match[2] or 0) if major == 1 else major
