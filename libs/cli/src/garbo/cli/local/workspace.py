"""Where the clone is: its root, and the files under deploy/local that say how things start."""

from pathlib import Path

from garbo.common.errors import StartRefused


def workspace_root() -> Path:
    """Return the folder of the clone this command was installed from.

    Raises StartRefused when the command was installed without a clone (in an image, say):
    there `garbo up` has nothing to start.
    """
    for folder in Path(__file__).resolve().parents:
        if (folder / "deploy" / "local" / "kafka" / "pom.xml").is_file():
            return folder
    raise StartRefused("this garbo was installed without its clone: type git clone, then make run")


def kafka_files() -> Path:
    """Return the folder with Kafka's pom.xml and log4j2.xml."""
    return workspace_root() / "deploy" / "local" / "kafka"


def default_data_folder() -> Path:
    """Return `.garbo` at the root of the clone."""
    return workspace_root() / ".garbo"
