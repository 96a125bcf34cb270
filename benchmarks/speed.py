"""The ratios that medsdk promises, in one run: python benchmarks/speed.py DISEASE [--peer-python PYTHON] [--json]

Every ratio compares two things that were timed in turn, one call of each after the other, so that other programs disturb
both alike; what is told is the median of the pairs' ratios, of wall time and of processor time. The floor is a bare loop
over cv2 and the Interpreter with the same work; the peer is MediaPipe Tasks' ImageClassifier on the same model file, in a
process of its own (--peer-python names an interpreter that has mediapipe).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))

import cv2

import medsdk
from benchmarks import speed_subjects as subjects
from medsdk.bench import describe, warnings_now

Pair = tuple[float, float]
PICTURES = (("130 px PNG", 100), ("1 MP JPEG", 40), ("12 MP JPEG", 10))
FAKES = 200


def timed(call: Callable[[], object]) -> Pair:
    """Seconds of wall time and of this thread's processor time."""
    wall, processor = time.perf_counter(), time.thread_time()
    call()
    return time.perf_counter() - wall, time.thread_time() - processor


def paired(first: Callable[[], Pair], second: Callable[[], Pair], repeats: int) -> dict[str, float]:
    """second / first."""
    pairs = [(first(), second()) for _ in range(repeats + 1)][1:]
    return {
        "ms": round(1000 * statistics.median(b[0] for _, b in pairs), 3),
        "against_ms": round(1000 * statistics.median(a[0] for a, _ in pairs), 3),
        "ratio": round(statistics.median(b[0] / a[0] for a, b in pairs), 3),
        "cpu_ratio": round(statistics.median(b[1] / max(a[1], 1e-9) for a, b in pairs), 3),
        # The fastest of each: what an undisturbed machine would show.
        "best_ratio": round(min(b[0] for _, b in pairs) / min(a[0] for a, _ in pairs), 3),
    }


def predictions(analyzer: medsdk.Analyzer, folder: Path, peer_python: str, share: float) -> dict[str, Any]:
    found: dict[str, Any] = {}
    floor = subjects.Floor(analyzer)
    peer = subjects.Peer.start(peer_python, analyzer)
    for name, most in PICTURES:
        path = subjects.picture(folder, name)
        repeats = max(3, round(most * share))

        def predict(path: str = path) -> Pair:
            # One object: how a field of many is split is another question.
            return timed(lambda: analyzer.predict(path, as_regions=False if analyzer.plugin.offers_regions else None))

        found[name] = {"against the floor": paired(lambda path=path: timed(lambda: floor(path)), predict, repeats)}  # type: ignore[misc]
        if peer:
            found[name]["against MediaPipe"] = paired(lambda path=path: peer(path), predict, repeats)  # type: ignore[misc]
    if peer:
        peer.close()
    else:
        found["MediaPipe"] = subjects.Peer.why_not
    return found


def threads(analyzer: medsdk.Analyzer, folder: Path) -> dict[str, float]:
    """predict_many on two threads against one, in pictures a second."""
    path = subjects.picture(folder, "1 MP JPEG")

    def many(count: int) -> Pair:
        return timed(lambda: [None for _ in analyzer.predict_many(repeat(path, 40), count)])

    found = paired(lambda: many(2), lambda: many(1), 5)
    return {"throughput_ratio": found["ratio"], "best_ratio": found["best_ratio"]}


def process(*command: str) -> Pair:
    """Wall time and processor time of a whole process, its modules compiled before, as pip leaves them."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, begin = os.times(), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - begin, used


def starts(disease: str, folder: Path) -> dict[str, Any]:
    python, program = sys.executable, str(Path(sys.executable).with_name("medsdk"))
    path = subjects.picture(folder, "130 px PNG")
    bare = [process(python, "-c", "pass") for _ in range(9)]
    imported = [process(python, "-c", "import medsdk") for _ in range(9)]
    cold = paired(
        lambda: process(python, "-c", "import numpy, cv2, ai_edge_litert.interpreter"),
        lambda: process(program, "predict", disease, path),
        9,
    )
    return {
        "import medsdk over bare, ms": round(1000 * (min(i[0] for i in imported) - min(b[0] for b in bare)), 1),
        "medsdk predict against its imports": cold,
    }


def listing(folder: Path) -> dict[str, float]:
    """medsdk.diseases() against importlib.metadata.entry_points, with 200 more distributions installed."""
    subjects.fake_distributions(folder / "fakes", FAKES)
    code = Path(__file__).with_name("speed_listing.py").read_text(encoding="utf-8")
    path = os.pathsep.join(filter(None, [str(folder / "fakes"), os.environ.get("PYTHONPATH")]))
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path}
    )
    found: dict[str, float] = json.loads(answer.stdout)
    return found


def memory(analyzer: medsdk.Analyzer, folder: Path, count: int) -> dict[str, Any]:
    """How much the process grows by `count` predictions, behind a tenth of them as a start."""
    path = subjects.picture(folder, "130 px PNG")

    def predict(times: int) -> None:
        for number in range(times):
            # One in ten looks for regions, which takes much longer.
            analyzer.predict(path, as_regions=None if number % 10 == 0 else False)

    predict(max(100, count // 10))
    before = subjects.resident_bytes()
    predict(count)
    grown = (subjects.resident_bytes() - before) / 1e6
    code = f"import medsdk; a = medsdk.load({analyzer.disease!r}); a.predict({subjects.picture(folder, '12 MP JPEG')!r})"
    peak = subprocess.run(
        [sys.executable, "-c", code + "; from medsdk.bench.measure import peak_memory_mb; print(peak_memory_mb())"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {"predictions": count, "grown_mb": round(grown, 2), "peak_mb_of_one_12mp_prediction": float(peak.stdout)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("disease")
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--memory", type=int, default=2000, help="predictions for the growth; 100000 takes a while")
    parser.add_argument("--share", type=float, default=1.0, help="of the usual repeats; below 1 is quicker and less exact")
    parser.add_argument("--only", action="append", help="this part; repeatable")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    # One thread each, the floor too: how many to use is another question.
    cv2.setNumThreads(1)
    warnings = warnings_now()
    with tempfile.TemporaryDirectory() as name, medsdk.load(arguments.disease) as analyzer:
        folder = Path(name)
        parts: dict[str, Callable[[], Any]] = {
            "predict": lambda: predictions(analyzer, folder, arguments.peer_python, arguments.share),
            "predict_many": lambda: threads(analyzer, folder),
            "start": lambda: starts(arguments.disease, folder),
            "listing": lambda: listing(folder),
            "memory": lambda: memory(analyzer, folder, arguments.memory),
        }
        found: dict[str, Any] = {"machine": describe(), "warnings": warnings}
        for part, measure in parts.items():
            if part in (arguments.only or parts):
                print(f"{part} …", file=sys.stderr)
                found[part] = measure()
    print(json.dumps(found, indent=None if arguments.json else 2, ensure_ascii=False))


if __name__ == "__main__":
    main()
