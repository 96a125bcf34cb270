from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from medsdk.bench import Plan, compare, describe, measure, warnings_now
from medsdk.bench.machine import throttling
from medsdk.bench.measure import figures
from medsdk.core.prediction import Prediction, Provenance, Timings


class Analyzer:
    disease = "demo"
    card = SimpleNamespace(model=SimpleNamespace(sha256="a" * 64))

    def __init__(self) -> None:
        self.judged = 0

    def predict(self, source: Any) -> Prediction:
        self.judged += 1
        provenance = Provenance("medsdk-demo", "1", "0", "a" * 64, "runtime 1")
        return Prediction("demo", "x", "negative", provenance=provenance, timings=Timings(1.0, 2.0, 3.0, 4.0))

    def predict_many(self, sources: Any, threads: int) -> Any:
        yield from map(self.predict, sources)


def test_every_stage_and_every_number_of_threads() -> None:
    analyzer: Any = Analyzer()
    found = measure(analyzer, b"", "drawn", Plan(repeats=10, warmup=2, threads=3))
    assert {name: value.median for name, value in found.stages.items() if name != "total"} == {
        "decode": 1.0,
        "preprocess": 2.0,
        "invoke": 3.0,
        "postprocess": 4.0,
    }
    assert list(found.throughput) == [1, 2, 3]
    assert found.runtime == "runtime 1"
    assert analyzer.judged == 2 + 10 + (2 + 10) + (4 + 10) + (6 + 10)


def test_the_memory_of_the_program_that_began_this_one_is_not_counted() -> None:
    held = np.ones(400_000_000, np.uint8)
    code = "from medsdk.bench.measure import peak_memory_mb; print(peak_memory_mb())"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert held[-1] == 1
    assert 10 < float(answer) < 300


def test_percentiles() -> None:
    found = figures([float(n) for n in range(101)])
    assert (found.median, found.p95, found.p99) == (50.0, 95.0, 99.0)


def test_more_threads_are_not_advised_for_nothing() -> None:
    analyzer: Any = Analyzer()
    found = measure(analyzer, b"", "drawn", Plan(repeats=10, threads=1))
    found.throughput.update({1: 10.0, 2: 19.5, 3: 20.0, 4: 18.0})
    assert found.best_threads == 2


@pytest.fixture
def pi(tmp_path: Path) -> Path:
    """A Raspberry Pi's /proc and /sys, in trouble."""
    for name, text in {
        "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
        "proc/meminfo": "MemTotal: 1000000 kB\nSwapTotal: 500000 kB\nSwapFree: 100000 kB\n",
        "proc/cpuinfo": "processor\t: 0\nCPU part\t: 0xd08\n",
        "sys/class/thermal/thermal_zone0/temp": "84123\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_governor_heat_and_swap_are_warned_of(pi: Path) -> None:
    said = "\n".join(warnings_now(pi))
    for word in ("powersave", "84 °C", "390 MB"):
        assert word in said


def test_the_machine_is_told(pi: Path) -> None:
    found = describe(pi)
    assert found["machine"] == "Raspberry Pi 4 Model B Rev 1.4"
    assert found["processor"] == "0xd08"
    assert found["memory_mb"] == 976


def test_a_machine_that_tells_nothing_is_no_error(tmp_path: Path) -> None:
    assert describe(tmp_path)["memory_mb"] == 0
    assert all("load" in text for text in warnings_now(tmp_path))


def test_what_a_pi_says_of_throttling() -> None:
    assert throttling("throttled=0x0") == []
    assert len(throttling("throttled=0x50005")) == 4
    assert throttling("error") == []


def test_comparing_gives_ratios_and_says_what_differs() -> None:
    analyzer: Any = Analyzer()
    now = measure(analyzer, b"", "drawn", Plan(repeats=10)).to_dict()
    before = {**now, "runtime": "runtime 0", "stages": {"invoke": {"median": 6.0, "p95": 6.0, "p99": 6.0}}}
    ratios, differences = compare(now, before)
    assert ratios["invoke median"] == 0.5
    assert any("runtime 0" in text for text in differences)
