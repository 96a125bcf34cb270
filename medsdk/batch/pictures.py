"""Which pictures a batch is made of."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from medsdk.core.errors import SourceNotFoundError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"})


def find_pictures(names: Iterable[str | os.PathLike[str]]) -> Iterator[Path]:
    """Files as they are named, folders with all that lies below them, by the endings of pictures, in order of name.

    A file that is named twice comes once. Hidden files and folders are left out. Raises SourceNotFoundError for a name
    that is neither a file nor a folder.
    """
    seen: set[Path] = set()
    for name in names:
        path = Path(name)
        if not path.exists():
            raise SourceNotFoundError(str(path), "there is no such file or folder.", "Check the path.")
        for picture in _below(path) if path.is_dir() else [path]:
            if picture not in seen:
                seen.add(picture)
                yield picture


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(parent) / name
