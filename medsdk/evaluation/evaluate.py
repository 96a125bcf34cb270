"""How good is a disease on these pictures? Everything that the report shows, as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

import medsdk
from medsdk.core.analyzer import Analyzer
from medsdk.core.card import Card, Estimate, Evaluation
from medsdk.core.decision import probabilities
from medsdk.core.site import Site
from medsdk.evaluation.classes import ClassFigures, by_class, confusion, share
from medsdk.evaluation.curves import Curves, curves
from medsdk.evaluation.data import LabelledPicture, in_split, read_labelled, with_truth
from medsdk.evaluation.judging import Judged, Labelled, Progress, judge, logits_of
from medsdk.evaluation.metrics import figures
from medsdk.evaluation.recalibrate import recalibrate

Bools = npt.NDArray[np.bool_]

# With fewer groups a percentile bootstrap is known to be too narrow.
FEW_GROUPS = 20

MEANINGS = {
    "accepted": "pictures that the disease judged: what a user is answered, inconclusive ones by their probability",
    "all": "every readable picture, rejected ones too, by what the model would have said of them",
    "decided": "only pictures whose verdict was positive or negative",
}
SITE_MEANING = "accepted pictures, with the site's own temperature and operating point in place of the card's"


@dataclass(frozen=True)
class Plan:
    """What to evaluate on, and how.

    `split` None is "test" where there is one, else all; `recalibrate` fits a site's own settings, by `rule` or the
    card's; `resamples` and `seed` are the bootstrap's.
    """

    data: Path
    split: str | None = None
    label_map: Mapping[str, str] = field(default_factory=dict)
    threads: int = 1
    recalibrate: bool = False
    rule: str | None = None
    resamples: int = 1000
    seed: int = 0


@dataclass(frozen=True)
class Section:
    """The figures of some of the pictures; `meaning` says of which. Confusion: rows are true, columns named."""

    name: str
    meaning: str
    evaluation: Evaluation
    classes: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, ...], ...]
    curves: Curves | None


@dataclass(frozen=True)
class Source:
    """The accepted pictures of one source; `rejected` is the share of all its pictures."""

    name: str
    rejected: Estimate
    evaluation: Evaluation | None


@dataclass(frozen=True)
class Result:
    """An evaluation. `sections` are accepted, all, decided and site, those that hold pictures."""

    disease: str
    name: str
    model_sha256: str
    threshold: float
    data: str
    split: str
    made: str
    tool: str
    pictures: int
    unreadable: tuple[str, ...]
    rejected: Estimate
    inconclusive: Estimate
    rejected_by_label: dict[str, Estimate]
    sections: tuple[Section, ...]
    sources: tuple[Source, ...]
    notes: tuple[str, ...]
    site: Site | None = None

    def section(self, name: str) -> Section | None:
        """A section by its name."""
        return next((section for section in self.sections if section.name == name), None)


def evaluate(analyzer: Analyzer, plan: Plan, progress: Progress | None = None) -> tuple[Result, Judged]:
    """Judge the set and count. The second value holds what was said of each picture, for those who ask to see them.

    Raises DataError, or MedsdkError where labels, split or rule do not fit.
    """
    pictures = read_labelled(plan.data)
    split, labelled = _labelled(analyzer.card, pictures, plan)
    judged, unreadable = judge(analyzer, labelled, plan.data, threads=plan.threads, progress=progress)
    site = _site(analyzer, pictures, judged, split, plan) if plan.recalibrate else None
    card = analyzer.card
    rejected, inconclusive = judged.said("rejected"), judged.said("inconclusive")
    result = Result(
        disease=card.disease,
        name=card.name,
        model_sha256=card.model.sha256,
        threshold=card.decision.threshold,
        data=plan.data.name,
        split=split,
        made=date.today().isoformat(),
        tool=f"medsdk {medsdk.__version__}",
        pictures=len(judged.pictures),
        unreadable=unreadable,
        rejected=_share(rejected, judged, plan),
        inconclusive=_share(inconclusive, judged, plan),
        rejected_by_label=_rejected_by_label(card, judged, plan),
        sections=_sections(card, judged, plan) + _site_sections(analyzer, judged, site, plan),
        sources=_sources(card, judged, plan),
        notes=_notes(card, judged, split, site),
        site=site,
    )
    return result, judged


def _labelled(card: Card, pictures: Sequence[LabelledPicture], plan: Plan) -> tuple[str, Labelled]:
    chosen = in_split(pictures, plan.split)
    labelled = with_truth(chosen, card.labels, plan.label_map)
    if not labelled:
        raise medsdk.MedsdkError("Every picture is left out by --label-map.", "Map some labels to the disease's own.")
    return plan.split or ("all" if len(chosen) == len(pictures) else "test"), labelled


def _sections(card: Card, judged: Judged, plan: Plan) -> tuple[Section, ...]:
    accepted = ~judged.said("rejected")
    chosen = {
        "accepted": accepted,
        "all": np.ones_like(accepted),
        "decided": accepted & ~judged.said("inconclusive"),
    }
    return tuple(
        _section(name, MEANINGS[name], card, judged.where(kept), plan) for name, kept in chosen.items() if kept.any()
    )


def _section(name: str, meaning: str, card: Card, judged: Judged, plan: Plan) -> Section:
    named = judged.probability.argmax(axis=1)
    return Section(
        name,
        meaning,
        _evaluation(name, meaning, card, judged, plan),
        by_class(judged.truth, named, judged.groups, card.labels, resamples=plan.resamples, seed=plan.seed),
        confusion(judged.truth, named, len(card.labels)),
        curves(judged.positive(card), judged.chance(card)),
    )


def _evaluation(name: str, note: str, card: Card, judged: Judged, plan: Plan) -> Evaluation:
    return Evaluation(
        set=name,
        pictures=len(judged.pictures),
        groups=len(set(judged.groups)),
        positives=int(judged.positive(card).sum()),
        figures=figures(judged.truth, judged.probability, judged.groups, card, resamples=plan.resamples, seed=plan.seed),
        note=note,
    )


def _share(flags: Bools, judged: Judged, plan: Plan) -> Estimate:
    return share(flags, judged.groups, resamples=plan.resamples, seed=plan.seed)


def _rejected_by_label(card: Card, judged: Judged, plan: Plan) -> dict[str, Estimate]:
    """A disease that rejects its ill more often than its healthy looks better than it is."""
    by_label = {label.id: judged.where(judged.truth == at) for at, label in enumerate(card.labels)}
    return {name: _share(part.said("rejected"), part, plan) for name, part in by_label.items() if part.pictures}


def _sources(card: Card, judged: Judged, plan: Plan) -> tuple[Source, ...]:
    """Each source by itself, where there are at least two."""
    of = np.array([picture.source for picture in judged.pictures])
    names = sorted(set(of.tolist()))
    if len(names) < 2:
        return ()
    found = []
    for name in names:
        part = judged.where(of == name)
        accepted = part.where(~part.said("rejected"))
        shown = name or "(none)"
        evaluation = _evaluation(shown, MEANINGS["accepted"], card, accepted, plan) if accepted.pictures else None
        found.append(Source(shown, _share(part.said("rejected"), part, plan), evaluation))
    return tuple(found)


def _site(analyzer: Analyzer, pictures: Sequence[LabelledPicture], judged: Judged, split: str, plan: Plan) -> Site:
    """Fitted on the split val where that is another than the one evaluated, else on the same pictures."""
    if split not in ("val", "all") and any(picture.split == "val" for picture in pictures):
        labelled = with_truth(in_split(pictures, "val"), analyzer.card.labels, plan.label_map)
        judged, _ = judge(analyzer, labelled, plan.data, threads=plan.threads)
        split = "val"
    accepted = judged.where(~judged.said("rejected"))
    logits = logits_of(analyzer, accepted.pictures, plan.threads)
    return recalibrate(
        analyzer.card, logits, accepted.truth, accepted.groups, data=plan.data.name, split=split, rule=plan.rule
    )


def _site_sections(analyzer: Analyzer, judged: Judged, site: Site | None, plan: Plan) -> tuple[Section, ...]:
    if site is None:
        return ()
    accepted = judged.where(~judged.said("rejected"))
    card = site.applied_to(analyzer.card)
    chances = probabilities(logits_of(analyzer, accepted.pictures, plan.threads), card)
    again = Judged(accepted.pictures, accepted.truth, chances, accepted.verdicts)
    return (_section("site", SITE_MEANING, card, again, plan),)


def _notes(card: Card, judged: Judged, split: str, site: Site | None) -> tuple[str, ...]:
    """What a reader must know before believing the figures."""
    notes = []
    if card.status == "untrained":
        notes.append("The model is an untrained placeholder: its numbers mean nothing.")
    groups = len(set(judged.groups))
    if all(picture.group == picture.name for picture in judged.pictures):
        notes.append(
            "No groups are given, so each picture counts as a patient of its own. If patients have several pictures, "
            "the intervals are too narrow: add a column 'group'."
        )
    elif groups < FEW_GROUPS:
        notes.append(f"There are only {groups} groups: the intervals are rough, and likely too narrow.")
    if any(picture.split == "train" for picture in judged.pictures):
        notes.append("Pictures of the split 'train' are among these. If the model was trained on them, they flatter it.")
    one_kind = _sources_of_one_kind(card, judged)
    if one_kind:
        notes.append(
            f"All pictures of {', '.join(one_kind)} are of one kind. The figures over all sources cannot tell whether "
            "the model sees the disease or the source; look at the sources that have both."
        )
    if site is not None and site.decision.split == split:
        notes.append("The site's settings were fitted on the same pictures as they are judged on here: they look better.")
    return tuple(notes)


def _sources_of_one_kind(card: Card, judged: Judged) -> list[str]:
    pairs = {(picture.source, kind) for picture, kind in zip(judged.pictures, judged.positive(card), strict=True)}
    kinds = Counter(source for source, _ in pairs)
    return sorted(source or "(none)" for source, count in kinds.items() if count == 1) if len(kinds) > 1 else []
