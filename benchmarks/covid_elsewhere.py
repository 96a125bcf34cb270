"""Does the COVID-19 plugin find the disease in films that are not of the one collection it was trained on?

    python benchmarks/covid_elsewhere.py --data FOLDER [--out benchmarks/covid_elsewhere.json]

The pack `lungs` holds films of COVID-19 from another collection, without well people. Half of them stand in the pack `chest`
as well: every patient with a film that is the same, or nearly, is left out. The well and the other pneumonias are adults of
the NIH, whose hospital is known to the network: these are the films of val and test. Ill and well are of two collections, so
that the AUC may tell these apart. Two thirds of the ill films taught the lung finder where lungs are; the others are judged
again by themselves. Rejected films count for nothing. 95 % intervals by patient. And how many of these films does the
tuberculosis plugin take for its own disease?
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

import medsdk
from medsdk.core.files import write_beside
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
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    data: Path = arguments.data
    ill = strangers(read_labelled(data / "lungs.tar"), read_labelled(data / "chest.tar"))
    adults = [p for p in read_labelled(data / "pneumonia.tar") if p.source == "nih8_adult" and p.split != "train"]
    found = []
    with medsdk.load("covid") as analyzer:
        for name, films in (("all", ill), ("not seen by the lung finder", [p for p in ill if p.split != "train"])):
            found += [judge(analyzer, films, adults, name, label) for label in ("normal", "pneumonia")]
    with medsdk.load("tuberculosis") as analyzer:
        found.append(mistaken(analyzer, ill))
    if arguments.out:
        write_beside(arguments.out, msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")


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


def judge(
    analyzer: medsdk.Analyzer, ill: Sequence[LabelledPicture], adults: Sequence[LabelledPicture], which: str, label: str
) -> dict[str, Any]:
    """The figures on films of COVID-19 and on the adults of one label, printed as well."""
    films = [*ill, *(p for p in adults if p.label == label)]
    said = list(analyzer.predict_many((p.read() for p in films), threads=2))
    accepted = [i for i, prediction in enumerate(said) if prediction.verdict != "rejected"]
    order = [one.id for one in analyzer.card.labels]
    probability = [[{s.label: s.probability for s in said[i].scores}[name] for name in order] for i in accepted]
    truth = [order.index("covid" if i < len(ill) else label) for i in accepted]
    found = figures(truth, probability, [films[i].group for i in accepted], analyzer.card)
    counted = f"{len(ill)} {which} of {len({p.group for p in ill})} patients against {len(films) - len(ill)} {label}"
    values = ", ".join(f"{name} {e.value:.3f} ({e.low:.3f} to {e.high:.3f})" for name in SHOWN if (e := found[name]))
    print(f"{counted}: {values}; {len(films) - len(accepted)} films rejected")
    return {
        "ill": len(ill),
        "which": which,
        "against": label,
        "others": len(films) - len(ill),
        "rejected": len(films) - len(accepted),
        "figures": {name: found[name] for name in SHOWN},
    }


def mistaken(analyzer: medsdk.Analyzer, ill: Sequence[LabelledPicture]) -> dict[str, Any]:
    """How many films of COVID-19 another disease's plugin calls positive, printed as well."""
    verdicts = [prediction.verdict for prediction in analyzer.predict_many((p.read() for p in ill), threads=2)]
    counted = {verdict: verdicts.count(verdict) for verdict in ("positive", "inconclusive", "negative", "rejected")}
    print(f"{analyzer.disease} of {len(ill)} films of COVID-19: {', '.join(f'{n} {name}' for name, n in counted.items())}")
    return {"disease": analyzer.disease, "ill": len(ill), "verdicts": counted}


if __name__ == "__main__":
    main()
