"""A plugin at work in a process of its own, watched: what it imports, sends, writes, starts and remembers.

`python -m medsdk.testing.probe DISEASE` prints the report as JSON. Python's audit events (PEP 578) tell of what Python
code does; what native code writes is found by looking into the folders that the process was given.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medsdk.testing.subject import Subject

_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.sendto")
_PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile")
_CHANGES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "os.link", "os.symlink", "sqlite3.connect")
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

# Packages that a Raspberry Pi should never load for one prediction.
_HEAVY = ("tensorflow", "keras", "torch", "jax", "onnxruntime", "sklearn", "scipy", "pandas", "matplotlib", "skimage")

# Memory is compared between these counts of predictions: behind the first, every buffer has been made.
_WARM, _MORE = 15, 60
_TIMEOUT_S = 300


@dataclass
class Report:
    """Megabytes are of 2^20 bytes and -1 where the system does not tell them; `import_ms` is processor time."""

    import_ms: float = 0.0
    heavy: list[str] = field(default_factory=list)
    network: list[str] = field(default_factory=list)
    programs: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    peak_mb: float = -1.0
    growth_mb: float = -1.0
    predictions: dict[str, Any] = field(default_factory=dict)
    error: str = ""


def watch(subject: Subject) -> Report:
    """The report on the subject, from a process with empty folders for its home, temporary and working files."""
    from medsdk.testing.subject import ContractError

    with tempfile.TemporaryDirectory(prefix="medsdk-probe-") as name:
        root = Path(name).resolve()
        folders = {key: root / key.lower() for key in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "WORK")}
        for folder in folders.values():
            folder.mkdir()
        python_path = os.pathsep.join(path for path in sys.path if path)
        environment = {**os.environ, **{k: str(v) for k, v in folders.items()}, "PYTHONPATH": python_path}
        done = subprocess.run(
            [sys.executable, "-B", "-m", "medsdk.testing.probe", subject.disease],
            cwd=folders["WORK"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            raise ContractError(
                f"In a process of its own the plugin ends it with code {done.returncode}: {done.stderr.strip()[-2000:]}"
            )
        report = Report(**json.loads(done.stdout.splitlines()[-1]))
        left = [path.relative_to(root) for path in sorted(root.rglob("*")) if path.is_file()]
    report.writes += [f"left behind {path}" for path in left]
    return report


def answers(subject: Subject) -> dict[str, Any]:
    """What the lenient analyzer says of each sample, without the times: comparable between processes."""
    with subject.open_lenient() as analyzer:
        said = {name: analyzer.predict(pixels).to_dict() for name, pixels in subject.samples().items()}
    for fields in said.values():
        del fields["timings_ms"]
    return said


def _main(disease: str) -> None:
    # Everything of medsdk's own comes first, so that only the plugin's doings are seen.
    from medsdk.core import analyzer, registry, runtime  # noqa: F401
    from medsdk.testing import pictures
    from medsdk.testing.subject import Subject

    runtime.runtime()
    report, subject = Report(), Subject(disease)
    samples = list(pictures.samples().values())
    entry = subject.claim.entry_point
    known = set(sys.modules)
    sys.addaudithook(lambda event, arguments: _hear(report, event, arguments))
    try:
        begin = time.process_time()
        entry.load()
        report.import_ms = (time.process_time() - begin) * 1000
        with subject.open_lenient() as lenient:
            for count in range(_WARM + _MORE):
                prediction = lenient.predict(samples[count % len(samples)])
                _ = prediction.attention
                if count == _WARM:
                    before = _peak_mb()
            report.peak_mb, report.growth_mb = _peak_mb(), _peak_mb() - before
        report.predictions = answers(subject)
    except BaseException as error:  # whatever a plugin raises, what was seen until then must be told
        report.error = f"{type(error).__name__}: {error}"
    loaded = {name.partition(".")[0] for name in set(sys.modules) - known}
    report.heavy = sorted(loaded.intersection(_HEAVY))
    text = json.dumps(asdict(report))
    sys.stdout.write(f"\n{text}\n")


def _hear(report: Report, event: str, arguments: tuple[Any, ...]) -> None:
    if event in _NETWORK:
        report.network.append(f"{event} {arguments[-1]!r}" if event == "socket.connect" else f"{event} {arguments[:2]!r}")
        raise OSError("medsdk.testing: a plugin has no network here")
    if event.startswith(_PROGRAMS):
        report.programs.append(f"{event} {arguments[0]!r}")
    elif event in _CHANGES:
        report.writes.append(f"{event} {arguments[0]!r}")
    elif event == "open" and _is_write(arguments) and arguments[0] != os.devnull:
        report.writes.append(f"opened for writing {arguments[0]!r}")


def _is_write(arguments: tuple[Any, ...]) -> bool:
    path, mode, flags = arguments
    if isinstance(path, int):
        return False
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return bool((flags or 0) & _WRITE_FLAGS)


def _peak_mb() -> float:
    try:
        # Linux hands the parent's peak in ru_maxrss down to a child; the high-water mark here is this program's own.
        status = Path("/proc/self/status").read_text()
        return float(status.split("VmHWM:")[1].split()[0]) / 2**10
    except (OSError, IndexError):
        pass
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return -1.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


if __name__ == "__main__":
    _main(sys.argv[1])
