"""What somebody outside makes a customer write: the body of `POST /customers/{phone}/messages`."""

from dataclasses import replace
from random import Random
from typing import Self

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, model_validator

from garbo.simulator.population.attachments import Attachment, AttachmentKind, drawn
from garbo.simulator.population.reactions import Reply


class Sent(BaseModel):
    """A file that a customer sends: drawn by its kind, unless its bytes are given."""

    model_config = ConfigDict(extra="forbid")
    kind: AttachmentKind
    mime_type: str | None = None
    content: Base64Bytes | None = None
    filename: str | None = None

    def drawn(self, random: Random) -> Attachment:
        """Give the file."""
        sent = drawn(self.kind, random, mime_type=self.mime_type)
        return replace(sent, content=self.content or sent.content, filename=self.filename or sent.filename)


class Writing(BaseModel):
    """`POST /customers/{phone}/messages`: what this customer writes now."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(default="", max_length=4096)
    attachment: Sent | None = None
    """A file; the text is its caption."""
    too_large: bool = False
    """A file of more than 100 MB, which Meta does not hand over (131052)."""
    button: bool = False
    """As the quick-reply button of a template."""
    number: str | None = None
    """The business number's id; absent: the one they talk with."""
    context: str | None = None
    """The wamid this answers."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.text or self.attachment or self.too_large):
            raise ValueError("give text, attachment or too_large")
        return self

    def reply(self, random: Random) -> Reply:
        """Give what the customer says."""
        sent = self.attachment.drawn(random) if self.attachment else None
        return Reply(self.text, button=self.button, attachment=sent, too_large=self.too_large)
