"""Kafka and PostgreSQL where people put clones: closed homes, accents, no home of one's own."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from garbo.cli.local.jars import maven_repository
from garbo.cli.local.kafka import in_properties
from garbo.cli.local.postgres import as_other_user


def test_kafka_is_told_a_path_with_accents_in_the_way_java_reads_it() -> None:
    assert in_properties(Path("/srv/l'età 🙂")) == "/srv/l'et\\u00e0 \\ud83d\\ude42"


def test_maven_keeps_its_files_in_the_clone_where_home_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    listed = list(pwd.getpwuid(os.geteuid()))
    for home, said in ((str(tmp_path), []), ("/dev/null", [f"-Dmaven.repo.local={tmp_path}/instead"])):
        user = pwd.struct_passwd((*listed[:5], home, *listed[6:]))
        monkeypatch.setattr(pwd, "getpwuid", lambda _, user=user: user)
        assert maven_repository(tmp_path / "instead") == said


def test_the_user_of_postgresql_may_run_what_lies_in_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "postgres").touch(mode=0o700)
    look = "import os, sys; sys.exit(0 if os.geteuid() != 0 and os.access(sys.argv[1], os.X_OK) else 1)"
    if os.geteuid() != 0:
        assert as_other_user() == ()
        return
    asked = (*as_other_user(), sys.executable, "-c", look, str(closed / "postgres"))
    assert subprocess.run(asked, cwd="/", timeout=30, check=False).returncode == 0
