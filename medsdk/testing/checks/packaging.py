"""How the plugin is found, and whether what is published is whole."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib import metadata
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit
from urllib.request import url2pathname

from medsdk.core import registry
from medsdk.core.card import decode_card
from medsdk.core.errors import MedsdkError
from medsdk.core.hookspecs import API_VERSION
from medsdk.testing.subject import ContractError, NotApplicableError, Subject

_BUILD_TIMEOUT_S = 300


def registration(subject: Subject) -> None:
    """One entry point for the disease, named by its id; it loads, and every disease that it registers has one."""
    claim = subject.claim
    _ = subject.plugin
    try:
        registered = [plugin.card.disease for plugin in registry.call_hook(claim, "medsdk_register_diseases")]
    except MedsdkError as error:
        raise ContractError(str(error)) from error
    entries = {entry.name for entry in subject.distribution.entry_points if entry.group == registry.ENTRY_POINTS}
    hidden = sorted(set(registered) - entries)
    if hidden:
        raise ContractError(
            f"{claim.distribution} registers {', '.join(hidden)}, but has no entry point of that name: "
            f'nobody will find it. Add {hidden[0]} = "{claim.entry_point.value}" to [project.entry-points.medsdk].'
        )
    if len(set(registered)) != len(registered):
        raise ContractError(f"{claim.distribution} registers an id twice: {', '.join(sorted(registered))}.")


def api_version(subject: Subject) -> None:
    """Written for this contract, says which medsdk it needs, and uses only its public names."""
    if str(subject.plugin.medsdk_api) != API_VERSION:
        raise ContractError(f"medsdk_api is {subject.plugin.medsdk_api!r}, this medsdk offers {API_VERSION!r}.")
    requirements = subject.distribution.requires or []
    own = [text for text in requirements if re.match(r"medsdk\s*(\[[^]]*\])?\s*([<>=!~(;]|$)", text)]
    if not own:
        raise ContractError('The distribution does not require medsdk. Add "medsdk>=0.1,<1" to dependencies.')
    if not re.search(r"<|~=|==", own[0].partition(";")[0]):
        raise ContractError(
            f"The requirement {own[0]!r} has no upper bound: a medsdk with another contract would be installed under this "
            "plugin. Write medsdk>=0.1,<1."
        )
    private = sorted(set(_private_imports(package_folder(subject))))
    if private:
        raise ContractError(
            f"It imports {', '.join(private)}. Names below medsdk.core change without notice: import them from medsdk."
        )


def wheel_contents(subject: Subject) -> None:
    """The wheel holds the card, the model and the reference, as the card describes them, and the entry point."""
    direct = json.loads(subject.distribution.read_text("direct_url.json") or "{}")
    package = package_folder(subject).name
    if not direct.get("dir_info", {}).get("editable"):
        _check_contents(subject, _installed(subject.distribution, package), "the installed distribution")
        return
    project = Path(url2pathname(urlsplit(direct["url"]).path))
    with tempfile.TemporaryDirectory(prefix="medsdk-wheel-") as folder:
        wheel = _build(project, Path(folder))
        with zipfile.ZipFile(wheel) as archive:
            files = {name: archive.read(name) for name in archive.namelist() if name.startswith(f"{package}/")}
            entries = [name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt")]
            declared = archive.read(entries[0]).decode() if entries else ""
        _check_contents(subject, files, wheel.name)
    if not re.search(rf"(?m)^{subject.disease}\s*=", declared):
        raise ContractError(f"{wheel.name} has no entry point {subject.disease!r}: whoever installs it will not find it.")


def package_folder(subject: Subject) -> Path:
    """Where the plugin's code lies."""
    return Path(inspect.getfile(type(subject.plugin))).parent


def _check_contents(subject: Subject, files: Mapping[str, bytes], where: str) -> None:
    cards = [name for name in files if PurePosixPath(name).name == "card.json"]
    ours = [name for name in cards if decode_card(files[name], name).disease == subject.disease]
    if not ours:
        raise ContractError(f"{where} holds no card.json of {subject.disease!r}. Add it to the wheel's files.")
    card = decode_card(files[ours[0]], ours[0])
    for expected in filter(None, (card.model, card.reference)):
        name = str(PurePosixPath(ours[0]).with_name(expected.file))
        if name not in files:
            raise ContractError(f"{where} lacks {name}. Add it to the wheel's files in pyproject.toml.")
        if sha256(files[name]).hexdigest() != expected.sha256:
            raise ContractError(f"{name} in {where} is not the file that the card describes. Build it again.")


def _installed(distribution: metadata.Distribution, package: str) -> dict[str, bytes]:
    files = distribution.files
    if files is None:
        raise NotApplicableError("The distribution was installed without a list of its files.")
    chosen = [file for file in files if file.parts and file.parts[0] == package and Path(str(file.locate())).is_file()]
    return {file.as_posix(): file.read_binary() for file in chosen}


def _build(project: Path, out: Path) -> Path:
    """First with the build backend of this environment, which needs no network; then in a fresh one."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(out), str(project)]
    said = ""
    for extra in (["--no-build-isolation"], []):
        done = subprocess.run([*command, *extra], capture_output=True, text=True, timeout=_BUILD_TIMEOUT_S, check=False)
        wheels = list(out.glob("*.whl"))
        if done.returncode == 0 and wheels:
            return wheels[0]
        said = done.stderr.strip()[-1500:]
        if "No module named pip" in said:
            raise NotApplicableError("There is no pip in this environment to build the wheel with.")
    raise ContractError(f"No wheel can be built from {project.name}: {said}")


def _private_imports(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            yield from (f"{name} ({path.name})" for name in names if f"{name}.".startswith("medsdk.core."))
