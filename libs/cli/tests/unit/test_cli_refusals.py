"""Each way a start can fail says in one line what is wrong and what to type."""

import hashlib
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from garbo.cli.doctor.finding import judged
from garbo.cli.local.jars import ensure_jars
from garbo.cli.local.java import java
from garbo.cli.local.kafka import KafkaServer
from garbo.cli.local.postgres import PostgresServer
from garbo.cli.local.tools import missing, what_to_type
from garbo.cli.typed import garbo
from garbo.cli.up.plan import read_plan
from garbo.cli.up.prerequisites import check_ports, check_tools, check_user
from garbo.cli.up.runfile import Run, RunFile
from garbo.common.errors import StartRefused
from tests.support.ports import free_ports


def _refusal(start: Callable[[], object]) -> str:
    with pytest.raises(StartRefused) as refused:
        start()
    line = str(refused.value)
    assert "\n" not in line
    return line


def test_a_missing_java_is_named_with_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "type sudo apt-get install default-jre-headless" in _refusal(java)


def test_an_old_java_is_refused_with_the_version_it_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "java"
    fake.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    assert "Java 8 is too old" in _refusal(java)


def test_java_and_maven_are_asked_for_together() -> None:
    assert what_to_type("Java", "Maven").startswith(
        "sudo apt-get install default-jre-headless maven  # Fedora"
    )
    assert missing("Java", "Maven").startswith("Java 17 or newer, Maven are missing: type sudo ")


def test_a_missing_maven_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    pom = tmp_path / "pom.xml"
    pom.write_text("<project/>")
    assert "apt-get install maven" in _refusal(lambda: ensure_jars(pom, tmp_path / "jars"))


def test_jars_that_fit_the_pom_need_no_maven(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    pom, jars = tmp_path / "pom.xml", tmp_path / "jars"
    pom.write_text("<project/>")
    jars.mkdir()
    (jars / ".pom.sha256").write_text(hashlib.sha256(b"<project/>").hexdigest())
    assert ensure_jars(pom, jars) == jars


def test_missing_tools_are_asked_for_where_we_may_not_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    line = _refusal(lambda: check_tools(read_plan({"GARBO_DATA": str(tmp_path)})))
    assert "type sudo apt-get install default-jre-headless" in line


def test_a_taken_port_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        free = free_ports(2)
        ports = {"GARBO_POSTGRES_PORT": str(free[0]), "GARBO_KAFKA_CONTROLLER_PORT": str(free[1])}
        plan = read_plan({"GARBO_DATA": str(tmp_path), "GARBO_KAFKA_PORT": str(port)} | ports)
        line = _refusal(lambda: check_ports(plan, services=False))
    assert f"port {port} of kafka is taken" in line
    assert "GARBO_PORT_OFFSET" in line


def test_another_postgresql_s_data_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("16\n")
    server = PostgresServer(home=tmp_path, port=1, durable=True)
    assert f"data of PostgreSQL 16, this is 18: type rm -r {tmp_path}" in _refusal(server.prepare)


def test_another_user_s_postgresql_data_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    server = PostgresServer(home=tmp_path, port=1, durable=True)
    assert f"belongs to user {os.getuid()}: run as that user" in _refusal(server.prepare)


def test_a_user_without_a_name_is_told_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 2**31 - 7)
    line = _refusal(lambda: check_user(read_plan({"GARBO_DATA": str(tmp_path)})))
    assert f"type sudo useradd --uid {2**31 - 7} garbo" in line


def test_a_home_closed_to_the_user_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert f"HOME={tmp_path} is closed" in _refusal(
        lambda: check_user(read_plan({"GARBO_DATA": str(tmp_path)}))
    )


def test_a_data_folder_nobody_can_write_into_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = _refusal(lambda: RunFile(tmp_path / "file" / "data").held().__enter__())
    assert "cannot write into" in line
    assert "GARBO_DATA" in line


def test_a_newer_kafka_s_data_is_left_alone(tmp_path: Path) -> None:
    jars = tmp_path / "jars"
    jars.mkdir()
    (jars / "kafka_2.13-4.3.1.jar").touch()
    (tmp_path / "made-by.json").write_text('{"kafka": "4.9.0"}')
    server = KafkaServer(home=tmp_path, jars=jars, port=1, controller_port=2)
    assert "data of Kafka 4.9.0, this is 4.3.1" in _refusal(server.refuse_other_data)


def test_a_second_start_from_the_same_folder_is_refused_and_the_lock_goes_with_the_first(
    tmp_path: Path,
) -> None:
    runfile = RunFile(tmp_path)
    with runfile.held():
        runfile.write(Run(pid=4711))
        line = _refusal(lambda: RunFile(tmp_path).held().__enter__())
        assert "already runs" in line
        assert "4711" in line
        assert "garbo stop" in line
        assert runfile.running()
    assert not runfile.running()
    assert list((tmp_path / "run").iterdir()) == []


def test_what_a_killed_run_left_is_known_by_id_and_start_so_no_stranger_is_stopped(tmp_path: Path) -> None:
    runfile = RunFile(tmp_path)
    with runfile.held():
        runfile.write(Run(pid=1, children={"router": (os.getpid(), 12345.0)}))
        assert runfile.stop_leftovers() == 0


def test_the_doctor_cuts_a_refusal_into_fault_and_mend() -> None:
    def look() -> str:
        raise StartRefused("Java is missing, Kafka needs it: type sudo apt-get install java")

    finding = judged("Java", look)
    assert (finding.right, finding.mend) == (False, "sudo apt-get install java")


def test_a_mend_is_a_line_that_can_be_typed_as_it_stands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / ".venv" / "bin" / "garbo"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(program.with_name("python")))
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.chdir(tmp_path)
    assert garbo("restart", "router") == ".venv/bin/garbo restart router"
    monkeypatch.setenv("PATH", str(program.parent))
    assert garbo("restart", "router") == "garbo restart router"
