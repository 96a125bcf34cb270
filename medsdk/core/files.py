"""Writing so that nothing is ever half written."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from medsdk.core.errors import WriteError


def write_beside(target: str | os.PathLike[str], content: bytes) -> None:
    """Write to a new file in the same folder, flush it to the disk, then rename it over the target."""
    target = Path(target)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(
            f"{target}: it cannot be written ({error.strerror}).", "Choose a folder that exists and has room."
        ) from None
