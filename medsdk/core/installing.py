"""The commands that install what is missing: from where medsdk itself came, since no package index need have it."""

from __future__ import annotations

import re
from pathlib import Path


def extra(name: str) -> str:
    """The command that adds an extra of medsdk."""
    return f"pip install '{checkout() or 'medsdk'}[{name}]'"


def plugin(disease: str) -> str:
    """The command that installs a disease's plugin."""
    folder = checkout()
    if folder is None:
        return f"pip install medsdk-{disease.replace('_', '-')}"
    if not disease.isidentifier() or not (folder / "plugins" / disease).is_dir():
        return "pip install, with the wheel or the checkout that its author gives"
    return " ".join(["pip install", *(f"'{folder / 'plugins' / name}'" for name in [*_shared(folder, disease), disease])])


def checkout() -> Path | None:
    """The folder that pip installed medsdk from (PEP 610); None where that was a package index, or it is gone."""
    import json
    from importlib import metadata
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    try:
        said = json.loads(metadata.distribution("medsdk").read_text("direct_url.json") or "{}")
        address = urlsplit(said["url"])
    except (metadata.PackageNotFoundError, KeyError, ValueError):
        return None
    folder = Path(url2pathname(address.path))
    return folder if address.scheme == "file" and "dir_info" in said and folder.is_dir() else None


def _shared(folder: Path, disease: str) -> list[str]:
    """The packages beside the plugin that it requires: pip would look for them in an index."""
    project = (folder / "plugins" / disease / "pyproject.toml").read_text(encoding="utf-8")
    named = re.findall(r"^dependencies = .*?\]", project, re.MULTILINE | re.DOTALL)
    return [name for name in re.findall(r'"medsdk-([a-z]+)', "".join(named)) if (folder / "plugins" / name).is_dir()]
