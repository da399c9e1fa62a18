"""Kafka's jars are the ones we know, byte for byte, or nothing starts."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from garbo.cli.local.jars import LOOKED_AT, ensure_jars
from garbo.cli.local.workspace import kafka_files
from garbo.common.errors import StartRefused

JARS = {"kafka_2.13-4.3.1.jar": b"the broker", "slf4j-api-2.jar": b"its log"}
MAVEN = """#!/bin/sh
for word; do case $word in -DoutputDirectory=*) to=${word#*=} ;; esac; done
mkdir -p "$to" && cp "$SERVED"/*.jar "$to"
"""


@pytest.fixture
def pom(tmp_path: Path) -> Path:
    """A pom beside the list of what it names."""
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in JARS.items()]
    (tmp_path / "jars.sha256").write_text("".join(lines))
    (tmp_path / "pom.xml").write_text("<project/>")
    return tmp_path / "pom.xml"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a repository serves to a program that is called as Maven is."""
    folder, program = tmp_path / "served", tmp_path / "bin" / "mvn"
    for at in (folder, program.parent):
        at.mkdir()
    for name, content in JARS.items():
        (folder / name).write_bytes(content)
    program.write_text(MAVEN)
    program.chmod(0o755)
    monkeypatch.setenv("SERVED", str(folder))
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return folder


def test_jars_that_are_the_known_ones_are_taken(pom: Path, served: Path, tmp_path: Path) -> None:
    jars = ensure_jars(pom, tmp_path / "jars")
    assert {jar.name for jar in jars.glob("*.jar")} == JARS.keys()
    for jar in served.iterdir():
        jar.unlink()
    assert ensure_jars(pom, jars) == jars, "fetched and looked at once"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param(
            lambda f: (f / "slf4j-api-2.jar").write_bytes(b"its l0g"),
            "slf4j-api-2.jar is not the",
            id="other",
        ),
        pytest.param(
            lambda f: (f / "slf4j-api-2.jar").write_bytes(b""), "slf4j-api-2.jar is not the", id="empty"
        ),
        pytest.param(lambda f: (f / "slf4j-api-2.jar").unlink(), "slf4j-api-2.jar is missing", id="missing"),
        pytest.param(lambda f: (f / "evil.jar").write_bytes(b"x"), "evil.jar is not among", id="one more"),
    ],
)
def test_any_other_jar_is_refused_before_it_takes_its_place(
    pom: Path, served: Path, tmp_path: Path, change: Callable[[Path], object], fault: str
) -> None:
    change(served)
    with pytest.raises(StartRefused, match=f"{fault}.*Nothing was started"):
        ensure_jars(pom, tmp_path / "jars")
    assert not (tmp_path / "jars").exists()


def test_jars_fetched_before_there_was_a_list_are_looked_at_once(
    pom: Path, served: Path, tmp_path: Path
) -> None:
    jars = ensure_jars(pom, tmp_path / "jars")
    (jars / LOOKED_AT).unlink()
    assert ensure_jars(pom, jars) == jars
    (jars / LOOKED_AT).unlink()
    (jars / "slf4j-api-2.jar").write_bytes(b"changed since")
    with pytest.raises(StartRefused, match=r"slf4j-api-2.jar is not the file it should be"):
        ensure_jars(pom, jars)


def test_a_changed_list_is_compared_anew(pom: Path, served: Path, tmp_path: Path) -> None:
    jars = ensure_jars(pom, tmp_path / "jars")
    known = pom.with_name("jars.sha256")
    known.write_text(known.read_text().replace("slf4j-api-2", "slf4j-api-3"))
    with pytest.raises(StartRefused, match="differ from"):
        ensure_jars(pom, jars)


def test_the_list_names_the_broker_of_the_pom() -> None:
    known = (kafka_files() / "jars.sha256").read_text(encoding="utf-8").splitlines()
    assert all(len(line.split()) == 2 and len(line.split()[0]) == 64 for line in known)
    broker = next(line.split()[1] for line in known if line.split()[1].startswith("kafka_2.13-"))
    assert f"<version>{broker.removeprefix('kafka_2.13-').removesuffix('.jar')}</version>" in (
        kafka_files() / "pom.xml"
    ).read_text(encoding="utf-8")
