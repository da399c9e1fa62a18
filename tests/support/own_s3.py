"""An S3 server of a test's own: S3Proxy over a folder, as a local process."""

import http.client
from pathlib import Path
from typing import Final

from garbo.cli.local.command import Command
from garbo.cli.local.jars import ensure_jars
from garbo.cli.local.java import JAVA_ENV, java
from garbo.cli.local.kafka import in_properties
from garbo.cli.local.ports import LOOPBACK
from garbo.cli.local.workspace import default_data_folder
from tests.support.own_servers import OwnServer
from tests.support.ports import free_ports

FILES: Final = Path(__file__).parent / "s3"
ACCESS_KEY, SECRET_KEY = "garbo-test", "garbo-test-secret-key"
_PROPERTIES: Final = """\
s3proxy.authorization=aws-v2-or-v4
s3proxy.endpoint={endpoint}
s3proxy.identity={access}
s3proxy.credential={secret}
jclouds.provider=filesystem-nio2
jclouds.identity=local
jclouds.credential=local
jclouds.filesystem.basedir={data}
"""


class OwnS3(OwnServer):
    """A server on a free port, in a folder of its own; buckets are its folders."""

    def __init__(self, *, home: Path) -> None:
        self._home = home
        self._port = free_ports(1)[0]
        super().__init__(
            "S3Proxy", prepare=self._prepared, ready=lambda _: self.answers(), log=home / "s3.log"
        )

    @property
    def endpoint(self) -> str:
        """What clients connect to; stays the same over stop and start."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def data(self) -> Path:
        """Where its buckets are."""
        return self._home / "data"

    def make_bucket(self, name: str) -> None:
        """Make an empty bucket."""
        (self.data / name).mkdir(parents=True)

    def answers(self) -> bool:
        """Say whether it answers requests now."""
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=1)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == http.client.FORBIDDEN
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _prepared(self) -> Command:
        jars = ensure_jars(FILES / "pom.xml", default_data_folder() / "s3" / "jars", whose="S3Proxy")
        self.data.mkdir(parents=True, exist_ok=True)
        properties = self._home / "s3.properties"
        properties.write_text(
            _PROPERTIES.format(
                endpoint=self.endpoint,
                access=ACCESS_KEY,
                secret=SECRET_KEY,
                data=in_properties(self.data),
            )
        )
        fast = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
        log = f"-Dlogback.configurationFile={FILES / 'logback.xml'}"
        main = ("-cp", f"{jars}/*", "org.gaul.s3proxy.Main", "--properties", str(properties))
        return Command((java(), *fast, log, *main), env=JAVA_ENV)
