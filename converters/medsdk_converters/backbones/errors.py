"""What can go wrong while a backbone is built."""

from __future__ import annotations

from medsdk.core.errors import MedsdkError


class BackboneError(MedsdkError):
    """A backbone cannot be built as asked; the text says why and what to do."""
