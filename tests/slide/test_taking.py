"""Fields from a camera, a video, a scanner's folder: taken when asked or in time, never one place twice."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import medsdk
from medsdk.camera import END, Clock, Outage, Shot
from medsdk.camera.feed import open_feed
from medsdk.core.images import Picture, Pixels
from medsdk.core.prediction import Prediction
from medsdk.core.regions import Region, Regions
from medsdk.slide import open_slide
from medsdk.slide.session import Slide
from medsdk.slide.taking import Asked, Every, Heard, Taker, _same_place, _view

RUN = [sys.executable, "-c", "from medsdk.cli.slide import command; command()"]


class Hundred(medsdk.DiseasePlugin):
    """Counts 100 things in every picture."""

    counts = "things"

    def regions(self, image: Pixels) -> Regions:
        return Regions((Region((0, 0, 4, 4), None),) * 100)

    def fold(self, regions: Regions, outputs: Sequence[medsdk.ModelOutputs], picture: Picture) -> Prediction:
        return Prediction(self.card.disease, picture.name, "negative", details={"things": len(regions.items)})

    def combine(self, source: str, findings: Sequence[Prediction]) -> Prediction:
        return Prediction(self.card.disease, source, "negative", details={"things": 100 * len(findings)})


@pytest.fixture
def slide(malaria: medsdk.Analyzer, tmp_path: Path) -> Iterator[Slide]:
    plugin = Hundred()
    plugin.bundle = malaria.plugin.bundle
    with open_slide(tmp_path / "slide", medsdk.load(plugin), enough=100_000) as opened:
        yield opened


def place(number: int, shift: int = 0, noise: int = 0) -> Pixels:
    """Round things at random places of a stage: another number is another place, a shift moves the stage by pixels."""
    random = np.random.default_rng(number)
    wide = np.full((240, 640, 3), 200, np.uint8)
    for x, y in random.integers((0, 0), (640, 240), (90, 2)):
        cv2.circle(wide, (int(x), int(y)), 11, (180, 120, 140), -1)
    seen = wide[:, shift : shift + 320].astype(int) + np.random.default_rng(noise).normal(0, 4, (240, 320, 3))
    return np.clip(seen, 0, 255).astype(np.uint8)


class Camera:
    """Shows what a script holds, one thing a second."""

    name = "camera 0"

    def __init__(self, script: Iterable[Any]) -> None:
        self._script, self.seconds, self.closed = iter(script), 0.0, False

    def next(self, timeout: float) -> Any:
        self.seconds += 1.0
        found = next(self._script, END)
        return Shot(found, self.name, Clock().now()) if isinstance(found, np.ndarray) else found

    def close(self) -> None:
        self.closed = True


class CameraClock(Clock):
    def __init__(self, camera: Camera) -> None:
        self._camera = camera

    def elapsed(self) -> float:
        return self._camera.seconds


def test_a_stage_that_has_not_moved_is_not_counted_again(slide: Slide) -> None:
    views = [place(1), place(1, noise=1), place(1, shift=60, noise=2), place(2), Outage("unplugged"), place(3)]
    camera, same, outages = Camera(views), [], []
    heard = Heard(on_same=lambda: same.append(1), on_outage=outages.append)
    taken = Taker(slide, camera, Every(0), heard=heard, clock=CameraClock(camera)).run()
    assert (taken, len(same), outages) == (3, 2, ["unplugged"])
    assert slide.counted == 300
    assert slide.fields[0].finding.source == "camera 0"
    assert camera.closed


def test_comparing_two_views_leaves_them_as_they_were() -> None:
    one, other = _view(place(1)), _view(place(1, shift=60, noise=2))
    before = one.copy(), other.copy()
    assert _same_place(one, other)
    assert not _same_place(one, _view(place(2)))
    assert (one == before[0]).all()
    assert (other == before[1]).all()


def test_a_field_every_so_many_seconds(slide: Slide) -> None:
    camera = Camera(place(number) for number in range(10))
    assert Taker(slide, camera, Every(3), clock=CameraClock(camera)).run() == 4


def test_a_field_when_somebody_asks_and_only_then(slide: Slide) -> None:
    asked = Asked()
    views = iter([place(1), place(1), place(2), place(3)])

    class Asking(Camera):
        def next(self, timeout: float) -> Any:
            if self.seconds in (1.0, 2.0):
                asked.ask()
            return super().next(timeout)

    camera = Asking(views)
    assert Taker(slide, camera, asked, clock=CameraClock(camera)).run() == 2


def test_lines_ask_and_q_ends() -> None:
    asked, ended = Asked(), threading.Event()
    asked.listen(io.StringIO("\nq\n\n"), ended.set)
    assert ended.wait(10)
    assert asked.is_due(0.0)
    assert not asked.is_due(0.0)


def test_it_stops_when_there_are_enough_and_when_it_is_told(malaria: medsdk.Analyzer, tmp_path: Path) -> None:
    plugin = Hundred()
    plugin.bundle = malaria.plugin.bundle
    with open_slide(tmp_path, medsdk.load(plugin), enough=150) as slide:
        assert Taker(slide, Camera(place(n) for n in range(9)), Every(0)).run() == 2
        taker = Taker(slide, Camera(place(n) for n in range(10, 19)), Every(0), heard=Heard(lambda _: taker.stop()))
        assert taker.run(beyond_enough=True) == 1


def test_a_video_and_a_folder_are_slides_too(slide: Slide, tmp_path: Path) -> None:
    video = tmp_path / "stage.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 240))
    for number in range(3):
        for noise in range(5):
            writer.write(place(number, noise=noise))
    writer.release()
    assert Taker(slide, open_feed(video, Clock(), 1, frozenset()), Every(0)).run() == 3
    scans = tmp_path / "scans"
    scans.mkdir()
    for number in range(10, 12):
        cv2.imwrite(str(scans / f"{number}.png"), place(number))
    (scans / "z.png").write_bytes(b"no picture")
    heard = Heard(on_field=lambda _: taker.stop() if slide.counted == 500 else None)
    taker = Taker(slide, open_feed(scans, Clock(), 1, frozenset()), Asked(), heard=heard)
    assert taker.run() == 2, "of a folder every picture is a field"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_a_report(number: signal.Signals, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    cv2.imwrite(str(scans / "0.png"), place(0))
    session = tmp_path / "slide"
    command = [*RUN, str(scans), "--wait", "--session", str(session)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("field 1, 0.png" in line for line in process.stderr)
        process.send_signal(number)
        said, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert said.endswith("%)\n")
    assert (session / "report.html").is_file()


def test_a_camera_wants_a_name_for_its_slide(tmp_path: Path) -> None:
    done = subprocess.run([*RUN, "0"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert "--session" in done.stderr
    missing = subprocess.run([*RUN, "no-such-folder"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert missing.returncode != 0
    assert "no such camera, video or folder" in missing.stderr
