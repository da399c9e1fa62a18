"""Every generated file of the repository, by its path from the root."""

from pathlib import Path

from garbo.common.contracts.documents import asyncapi_document, events_page
from garbo.common.contracts.schemas import contract_files

CONTRACTS = Path("libs/common/contracts")
PUBLISHED = CONTRACTS / "published"


def generated_files() -> dict[Path, bytes]:
    """Give path and content of each file that `make generate` writes."""
    files = {CONTRACTS / path: content for path, content in contract_files().items()}
    files[Path("docs/events.md")] = events_page().encode()
    files[Path("docs/asyncapi.yaml")] = asyncapi_document().encode()
    return files


def published_files() -> dict[Path, bytes]:
    """Give the schemas as they would be frozen: what others may rely on from then on."""
    return {
        PUBLISHED / path: content for path, content in contract_files().items() if ".schema." in path.name
    }
