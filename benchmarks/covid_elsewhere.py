"""Does the COVID-19 plugin find the disease in films that are not of the one collection it was trained on?

    python benchmarks/covid_elsewhere.py --data FOLDER

The pack `lungs` holds films of COVID-19 from another collection, without well people. Half of them stand in the pack `chest`
as well: every patient with a film that is the same, or nearly, is left out. The well and the other pneumonias are adults of
the NIH, whose hospital is known to the network: these are the films of val and test. Rejected films count for nothing. 95 %
intervals by patient.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

import medsdk
from medsdk.evaluation.data import LabelledPicture, read_labelled
from medsdk.evaluation.metrics import figures

# A film that was saved anew differs in few of the 256 bits of its difference hash. Of the 426 films 189 have a twin
# within 6 bits, 208 within 20 and 228 within 30.
HASH_SIDE = 16
SAME_BITS = 20
SHOWN = ("auc", "sensitivity", "specificity")

Bits = npt.NDArray[np.bool_]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    data: Path = parser.parse_args().data
    ill = strangers(read_labelled(data / "lungs.tar"), read_labelled(data / "chest.tar"))
    adults = [p for p in read_labelled(data / "pneumonia.tar") if p.source == "nih8_adult" and p.split != "train"]
    print(f"{len(ill)} films of COVID-19 of {len({p.group for p in ill})} patients")
    with medsdk.load("covid") as analyzer:
        for label in ("normal", "pneumonia"):
            report(analyzer, ill, [p for p in adults if p.label == label], f"adults of the NIH, {label}")


def strangers(films: Iterable[LabelledPicture], known: Iterable[LabelledPicture]) -> list[LabelledPicture]:
    """The films of patients of whom no film is among the known ones."""
    films, known_bits = list(films), np.stack([difference_hash(p) for p in known])
    met = {p.group for p in films if (known_bits != difference_hash(p)).sum(axis=1).min() <= SAME_BITS}
    return [p for p in films if p.group not in met]


def difference_hash(picture: LabelledPicture) -> Bits:
    """(256,) whether each place of the shrunk film is brighter than its left neighbour."""
    grey = cv2.imdecode(np.frombuffer(picture.read(), np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise SystemExit(f"{picture.name} cannot be decoded.")
    small = cv2.resize(grey, (HASH_SIDE + 1, HASH_SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small[:, 1:] > small[:, :-1]).ravel()


def report(analyzer: medsdk.Analyzer, ill: list[LabelledPicture], well: list[LabelledPicture], against: str) -> None:
    films = [*ill, *well]
    said = list(analyzer.predict_many((p.read() for p in films), threads=2))
    accepted = [i for i, prediction in enumerate(said) if prediction.verdict != "rejected"]
    order = [label.id for label in analyzer.card.labels]
    probability = [[{s.label: s.probability for s in said[i].scores}[name] for name in order] for i in accepted]
    truth = [order.index("covid" if i < len(ill) else films[i].label) for i in accepted]
    found = figures(truth, probability, [films[i].group for i in accepted], analyzer.card)
    values = ", ".join(f"{name} {e.value:.3f} ({e.low:.3f} to {e.high:.3f})" for name in SHOWN if (e := found[name]))
    print(f"against {len(well)} {against}: {values}; {len(films) - len(accepted)} films rejected")


if __name__ == "__main__":
    main()
