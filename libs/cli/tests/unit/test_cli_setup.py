"""deploy/local/setup.sh in a machine of fakes: what is missing, what is half made, what cannot be done."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from garbo.cli.local.tools import missing
from garbo.cli.local.workspace import workspace_root

COREUTILS = ("cat", "chmod", "cp", "find", "grep", "mkdir", "rm", "sh", "tail", "touch")
PYTHON = """#!/bin/sh
case "$*" in
*version_info*) echo {version} ;;
*ensurepip*) exit {ensurepip} ;;
"-m venv .venv") mkdir -p .venv/bin && touch .venv/pyvenv.cfg
  for program in python uv garbo; do cp "$0" .venv/bin/$program; done ;;
*hashlib*) exit 1 ;;
"pip sync"*) echo "no cache: ${{UV_NO_CACHE:-}}" >told-uv
  [ ! -e no-network ] || {{ echo "error: no network"; exit 2; }} ;;
esac
"""
JAVA = """#!/bin/sh\necho 'openjdk version "{version}"' >&2\n"""
APT = """#!/bin/sh
echo "$*" >>asked-of-apt
[ "$1" = install ] || exit 0
[ ! -e no-network ] || { echo 'E: Unable to fetch some archives'; exit 100; }
cp spare/* bin/
"""


class Machine:
    """A clone, and a PATH with nothing on it but what the test puts there."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "clone"
        self.bin = self.clone / "bin"
        (self.clone / "libs" / "one").mkdir(parents=True)
        (self.clone / "services" / "two").mkdir(parents=True)
        shutil.copytree(workspace_root() / "deploy" / "local", self.clone / "deploy" / "local")
        for name in (
            "requirements.lock",
            "pyproject.toml",
            "libs/one/pyproject.toml",
            "services/two/pyproject.toml",
        ):
            (self.clone / name).touch()
        self.bin.mkdir()
        for name in COREUTILS:
            (self.bin / name).symlink_to(shutil.which(name) or f"/bin/{name}")

    def put(self, name: str, text: str, *, spare: bool = False) -> None:
        """Put a program on the PATH, or where the fake apt-get installs from."""
        file = (self.clone / "spare" if spare else self.bin) / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)

    def python(
        self, version: str = "3.13", *, name: str = "python3", pip: bool = True, spare: bool = False
    ) -> None:
        self.put(name, PYTHON.format(version=version, ensurepip=0 if pip else 1), spare=spare)

    def root_on_debian(self) -> None:
        self.put("id", "#!/bin/sh\necho 0\n")
        self.put("dpkg", "#!/bin/sh\n")
        self.put("apt-get", APT)

    def setup(self, *tools: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "deploy/local/setup.sh", *tools],
            cwd=self.clone,
            env={"PATH": str(self.clone / "bin"), "HOME": str(self.clone)} | env,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def refusal(self, *tools: str, **env: str) -> str:
        done = self.setup(*tools, **env)
        assert done.returncode != 0
        line = done.stderr.removesuffix("\n")
        assert line.startswith("garbo: ")
        assert "\n" not in line
        return line


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_what_is_missing_is_named_in_one_line_for_apt_dnf_and_brew_and_nothing_is_begun(
    machine: Machine,
) -> None:
    line = machine.refusal("Java", "Maven", "Chromium")
    assert line == f"garbo: {missing('Python', 'Java', 'Maven', 'Chromium')}"
    assert "type sudo apt-get install python3 python3-venv default-jre-headless maven chromium" in line
    assert "sudo dnf install python3 java-21-openjdk-headless maven chromium" in line
    assert "brew install python@3.13 temurin maven chromium" in line
    assert not (machine.clone / ".venv").exists()


def test_root_on_debian_gets_it_installed_with_a_line_each(machine: Machine) -> None:
    machine.root_on_debian()
    machine.python(spare=True)
    machine.put("java", JAVA.format(version="21.0.8"), spare=True)
    machine.put("mvn", "#!/bin/sh\n", spare=True)
    done = machine.setup("Java", "Maven")
    assert done.returncode == 0, done.stderr
    said = [line.partition("  (")[0] for line in done.stdout.splitlines()]
    packages = ["python3", "python3-venv", "default-jre-headless", "maven"]
    assert said == [
        *(f"apt-get install {package}" for package in packages),
        "making .venv, once for this clone",
    ]


def test_an_installation_that_fails_ends_in_one_line_and_the_next_try_goes_on(machine: Machine) -> None:
    machine.root_on_debian()
    machine.python(spare=True)
    (machine.clone / "no-network").touch()
    assert "apt-get failed: E: Unable to fetch some archives" in machine.refusal()
    (machine.clone / "no-network").unlink()
    assert machine.setup().returncode == 0


def test_what_stands_is_left_as_it_is_and_silence_kept(machine: Machine) -> None:
    machine.python()
    assert machine.setup().returncode == 0
    (machine.clone / ".venv" / "mine").touch()
    done = machine.setup()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (machine.clone / ".venv" / "mine").exists()


def _broken_off(machine: Machine) -> None:
    (machine.clone / ".venv" / ".ready").unlink()


def _without_its_python(machine: Machine) -> None:
    python = machine.clone / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/gone/python3.12")


def _python_upgraded(machine: Machine) -> None:
    (machine.clone / ".venv" / "bin" / "python").write_text(PYTHON.format(version="3.14", ensurepip=0))


def _without_pip(machine: Machine) -> None:
    python = machine.clone / ".venv" / "bin" / "python"
    python.write_text(python.read_text().replace("*hashlib*)", "*hashlib* | '-m pip --version')"))
    os.utime(machine.clone / "requirements.lock", (2**31, 2**31))


def _moved(machine: Machine) -> None:
    machine.clone = machine.clone.rename(machine.clone.with_name("moved"))


@pytest.mark.parametrize("harm", [_broken_off, _without_its_python, _python_upgraded, _without_pip, _moved])
def test_a_half_made_environment_is_made_anew(machine: Machine, harm: Callable[[Machine], None]) -> None:
    machine.python()
    assert machine.setup().returncode == 0
    (machine.clone / ".venv" / "rest").touch()
    harm(machine)
    done = machine.setup()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("making .venv anew")
    assert not (machine.clone / ".venv" / "rest").exists()
    assert (machine.clone / ".venv" / ".ready").is_file()


def test_a_changed_lock_is_taken_in_without_making_it_anew(machine: Machine) -> None:
    machine.python()
    assert machine.setup().returncode == 0
    (machine.clone / ".venv" / "mine").touch()
    os.utime(machine.clone / "requirements.lock", (2**31, 2**31))
    (machine.clone / "no-network").touch()
    assert "uv failed: error: no network" in machine.refusal()
    assert not (machine.clone / ".venv" / ".ready").exists(), "a broken-off change is done anew"


def test_a_python_too_old_or_too_new_is_passed_over_for_one_that_fits(machine: Machine) -> None:
    machine.python("3.10")
    machine.python("3.15", name="python")
    assert "Python 3.11 to 3.14 with venv is missing" in machine.refusal()
    machine.python("3.12", name="python3.12")
    assert machine.setup().returncode == 0
    assert (machine.clone / ".venv" / ".ready").read_text().startswith("3.12 ")


def test_a_python_without_ensurepip_is_no_whole_python(machine: Machine) -> None:
    machine.python(pip=False)
    assert "type sudo apt-get install python3-venv  #" in machine.refusal()
    assert not (machine.clone / ".venv").exists()


def test_a_python_asked_for_that_does_not_fit_is_named(machine: Machine) -> None:
    machine.python("3.9", name="python3.9")
    assert "PYTHON=python3.9 is no Python 3.11 to 3.14" in machine.refusal(PYTHON="python3.9")


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.20", "16"])
def test_a_java_too_old_for_kafka_is_no_java(machine: Machine, version: str) -> None:
    machine.python()
    machine.put("java", JAVA.format(version=version))
    assert "Java 17 or newer is missing" in machine.refusal("Java")
    machine.put("java", JAVA.format(version="17.0.1"))
    assert machine.setup("Java").returncode == 0


def test_where_packages_were_never_listed_the_line_lists_them_first(machine: Machine) -> None:
    machine.put("apt-get", "#!/bin/sh\n")
    listed = any(Path("/var/lib/apt/lists").glob("*Packages*"))
    first = "type sudo apt-get install" if listed else "type sudo apt-get update && sudo apt-get install"
    machine.put("dpkg", "#!/bin/sh\n")
    machine.put("id", "#!/bin/sh\necho 1000\n")
    assert first in machine.refusal()


def test_a_path_that_servers_cannot_take_is_refused_at_once(machine: Machine) -> None:
    machine.clone = machine.clone.rename(machine.clone.with_name("a:b"))
    assert "move the clone" in machine.refusal()


def test_without_a_home_nothing_is_kept_outside_the_clone(machine: Machine) -> None:
    machine.python()
    done = machine.setup(HOME="")
    assert (done.returncode, done.stderr) == (0, "")
    assert (machine.clone / "told-uv").read_text() == "no cache: 1\n"
