"""The recipes that this project ships, by name."""

from __future__ import annotations

from pathlib import Path

from medsdk_converters.errors import RecipeError

# In the wheel they lie inside the package, in a checkout beside it.
_FOLDERS = (Path(__file__).parent / "recipes", Path(__file__).parent.parent / "recipes")


def locate(name: str) -> Path:
    """A recipe's file from its path or its shipped name. Raises RecipeError."""
    path = Path(name)
    if path.suffix == ".toml":
        return path
    for folder in _FOLDERS:
        candidate = folder / f"{name}.toml"
        if candidate.exists():
            return candidate
    known = sorted(path.stem for folder in _FOLDERS if folder.is_dir() for path in folder.glob("*.toml"))
    raise RecipeError(f"There is no recipe {name!r}.", f"Give a .toml file, or one of: {', '.join(known)}.")


def shown(path: Path) -> str:
    """How a card names the recipe: a shipped one by its name, another by its file name; never a folder."""
    return path.stem if path.parent in _FOLDERS else path.name
