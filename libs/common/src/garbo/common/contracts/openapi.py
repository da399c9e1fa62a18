"""An API's description as the file that is committed.

`python -m garbo.common.contracts.openapi MODULE FILE` writes that of a module's `API`.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from garbo.common.runtime.openapi import Api


class _Plain(yaml.SafeDumper):
    """Writes what stands twice twice: who makes clients of it may read no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - PyYAML's form
        return True


def openapi_yaml(api: Api) -> str:
    """Write the document."""
    return yaml.dump(api.document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(openapi_yaml(import_module(sys.argv[1]).API), encoding="utf-8")
