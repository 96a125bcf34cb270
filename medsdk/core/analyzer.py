"""A loaded disease, ready to predict: the steps of a picture's way, one behind the other."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

import medsdk
from medsdk.core import images, regions, registry
from medsdk.core.bundle import Bundle
from medsdk.core.card import Card
from medsdk.core.errors import BrokenPluginError, MedsdkError
from medsdk.core.frame import View
from medsdk.core.images import Source
from medsdk.core.plugin import DiseasePlugin, Floats, ModelOutputs
from medsdk.core.prediction import Prediction, Provenance, Timings
from medsdk.core.preprocessing import Tensor
from medsdk.core.regions import Region, Regions
from medsdk.core.runtime import DELEGATE, Model, runtime
from medsdk.core.site import at_site
from medsdk.core.threads import Threads, checked, for_one_picture, side_by_side

if TYPE_CHECKING:
    from concurrent.futures import Future

# Pictures in the making for each thread of predict_many: enough that no thread waits, few enough for a small device.
_AHEAD = 2


@dataclass(frozen=True)
class Match:
    """An installed disease that accepts a picture; `fit` is distance / limit, 0 the best and 1 just acceptable."""

    disease: str
    fit: float


class Analyzer:
    """What `medsdk.load` returns. Thread-safe; a context manager; cheap to keep.

    Each thread that predicts at the same time has an interpreter of its own, made when it is first needed. `site`,
    `threads` and `delegate` are what `medsdk.load` says of them.
    """

    def __init__(
        self,
        plugin: DiseasePlugin,
        distribution: str = "",
        version: str = "",
        *,
        site: str | os.PathLike[str] | None = None,
        threads: Threads = 1,
        delegate: str | None = None,
    ) -> None:
        self.plugin, self._site_sha256 = _at(site, plugin)
        self._content = plugin.model
        self._delegate = delegate or os.environ.get(DELEGATE) or None
        made_by = f"{runtime()} with {self._delegate}" if self._delegate else str(runtime())
        self._provenance = Provenance(
            distribution, version, medsdk.__version__, plugin.card.model.sha256, made_by, self._site_sha256
        )
        auto = checked(threads) == "auto"
        self.threads: int = for_one_picture(self._opened) if auto else int(threads)
        self._idle: list[Model] = []
        self._lock = threading.Lock()
        self._closed = False
        if self._delegate:
            # A library that is missing is told of here, not with the first picture.
            self._idle.append(self._open())

    @property
    def card(self) -> Card:
        return self.plugin.card

    @property
    def disease(self) -> str:
        return self.card.disease

    @property
    def site_sha256(self) -> str | None:
        """Of the file of the site's settings that decide in place of the card's; None where the card's own do."""
        return self._site_sha256

    def predict(self, source: Source, *, as_regions: bool | None = None) -> Prediction:
        """Judge one picture. Raises a SourceError if it cannot be read.

        Where the plugin offers regions it tells by itself whether the picture is one object or holds many;
        `as_regions` says so for it, True for many and False for one.
        """
        begin = perf_counter()
        picture = self._read(source, as_regions)
        decoded = perf_counter()
        found = self._find(picture, as_regions)
        views = [picture] if found is None else [_view(region, picture) for region in found.judged]
        tensors = [_tensor(self.plugin.preprocess(view.pixels), view) for view in views]
        prepared = perf_counter()
        outputs = self._infer(tensors, views)
        invoked = perf_counter()
        prediction = self.plugin.postprocess(outputs[0]) if found is None else self._fold(found, outputs, picture)
        timings = _timings(begin, decoded, prepared, invoked, perf_counter())
        return replace(prediction, provenance=self._provenance, timings=timings)

    def predict_many(
        self, sources: Iterable[Source], threads: Threads = 1, *, as_regions: bool | None = None
    ) -> Generator[Prediction, None, None]:
        """Judge pictures as they come, in order, holding only a few at a time.

        `threads` pictures are judged side by side; "auto" measures first, for about a second, how many give the most.
        A picture that cannot be read comes back as a prediction with `error` set and the others go on. Close the
        generator if you stop before its end, so that its threads end there and then.
        """
        from concurrent.futures import ThreadPoolExecutor  # it brings logging along, which one picture does not need

        count = side_by_side(self._borrow) if checked(threads) == "auto" else int(threads)
        remaining = iter(sources)
        with ThreadPoolExecutor(count, thread_name_prefix="medsdk") as pool:
            waiting: deque[Future[Prediction]] = deque(
                pool.submit(self._predict_or_error, source, as_regions) for source in islice(remaining, count * _AHEAD)
            )
            while waiting:
                prediction = waiting.popleft().result()
                waiting.extend(pool.submit(self._predict_or_error, source, as_regions) for source in islice(remaining, 1))
                yield prediction

    def outputs(self, source: Source) -> ModelOutputs:
        """What the model itself says of a picture, before anything is made of it: for evaluation and research."""
        picture = self._read(source, as_regions=False)
        return self._infer([_tensor(self.plugin.preprocess(picture.pixels), picture)], [picture])[0]

    def close(self) -> None:
        """Free the interpreters. An analyzer that is closed cannot predict any more."""
        with self._lock:
            self._closed = True
            while self._idle:
                self._idle.pop().close()

    def __enter__(self) -> Analyzer:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _read(self, source: Source, as_regions: bool | None) -> images.Picture:
        """Twice the model's input is enough for one object: the resize averages over at least two by two pixels."""
        of_one = as_regions is False or not self.plugin.offers_regions
        side = max(self.card.input.height, self.card.input.width)
        return images.read(source, enough=2 * side if of_one and self.plugin.scale_free else None)

    def _predict_or_error(self, source: Source, as_regions: bool | None) -> Prediction:
        try:
            return self.predict(source, as_regions=as_regions)
        except MedsdkError as error:
            return Prediction(self.disease, images.source_name(source), None, error=error)

    def _find(self, picture: images.Picture, as_regions: bool | None) -> Regions | None:
        if as_regions is False:
            return None
        return regions.checked(self.plugin.regions(picture.pixels), self.disease, picture, as_regions)

    def _fold(self, found: Regions, outputs: Sequence[ModelOutputs], picture: images.Picture) -> Prediction:
        if found.refusal is not None:
            return Prediction(self.disease, picture.name, "rejected", reason=found.refusal)
        return self.plugin.fold(found, outputs, picture)

    def _infer(self, tensors: Sequence[Tensor], views: Sequence[images.Picture]) -> list[ModelOutputs]:
        """Each tensor through one interpreter, which no other thread uses meanwhile."""
        if not tensors:
            return []
        with self._borrow() as model:
            return [
                self._outputs(model.run(tensor.values), tensor, view) for tensor, view in zip(tensors, views, strict=True)
            ]

    def _outputs(self, outputs: dict[str, Floats], tensor: Tensor, picture: images.Picture) -> ModelOutputs:
        names = self.card.outputs
        if not np.isfinite(outputs[names.logits]).all():
            raise BrokenPluginError(
                self.disease,
                f"{self.disease}: the model answers with values that are not numbers.",
                "Update or reinstall the plugin.",
            )
        features = outputs[names.features] if names.features else None
        context = np.concatenate([outputs[name] for name in names.context]) if names.context else None
        return ModelOutputs(outputs[names.logits], features, tensor, picture, context)

    @contextmanager
    def _borrow(self) -> Iterator[Model]:
        with self._lock:
            if self._closed:
                raise MedsdkError("This analyzer is closed.", "Load the disease again: medsdk.load(...).")
            model = self._idle.pop() if self._idle else None
        if model is None:
            model = self._open()
        try:
            yield model
        finally:
            with self._lock:
                if not self._closed:
                    self._idle.append(model)

    def _open(self) -> Model:
        model = self._opened(self.threads)
        _check_contract(model, self.card)
        return model

    def _opened(self, threads: int) -> Model:
        return Model(self._content, self.disease, threads, self._delegate)


def _at(site: str | os.PathLike[str] | None, plugin: DiseasePlugin) -> tuple[DiseasePlugin, str | None]:
    return (plugin, None) if site is None else at_site(plugin, site)


def load(
    disease: str | Bundle | DiseasePlugin,
    *,
    site: str | os.PathLike[str] | None = None,
    threads: Threads = 1,
    delegate: str | None = None,
) -> Analyzer:
    """Find the plugin and check its model's sha256. A bundle or a plugin object may be given in place of an id.

    site: a file that `medsdk evaluate --recalibrate` wrote: its calibration and operating point are used in place of the
        card's, and every prediction's provenance names its sha256.
    threads: how many work on one picture; "auto" measures which number is soonest done, for about a second.
    delegate: "edgetpu" for Coral's Edge TPU, or the path of any TFLite delegate's library; None is what MEDSDK_DELEGATE
        says, or else the runtime's own XNNPACK.

    Raises UnknownDiseaseError, DuplicateDiseaseError, BrokenPluginError, CardError, ModelDamagedError,
    RuntimeUnavailableError, or SiteError where the settings cannot be read or belong to another model.
    """
    plugin, distribution, version = _found(disease)
    return Analyzer(plugin, distribution, version, site=site, threads=threads, delegate=delegate)


def _found(disease: str | Bundle | DiseasePlugin) -> tuple[DiseasePlugin, str, str]:
    """The plugin, and the distribution and version that it came with, "" where it was given by hand."""
    if isinstance(disease, DiseasePlugin):
        return disease, "", ""
    if isinstance(disease, Bundle):
        plugin = DiseasePlugin()
        plugin.bundle = disease
        return plugin, "", ""
    plugin, claim = registry.load_plugin(disease)
    return plugin, claim.distribution, claim.version


def identify(source: Source) -> list[Match]:
    """The installed diseases that accept this kind of picture, best first.

    A plugin that is broken is left out with a warning (under MEDSDK_STRICT=1 it is raised).
    Raises a SourceError if the picture cannot be read.
    """
    picture = images.read(source)
    matches = []
    for claim in registry.diseases().values():
        try:
            with load(claim.id) as analyzer:
                match = _match(analyzer, picture)
        except MedsdkError as error:
            problem = registry.problem_of(claim, error)
            registry.raise_if_strict(problem)
            _warn(problem)
            continue
        if match is not None:
            matches.append(match)
    return sorted(matches, key=lambda match: match.fit)


def _match(analyzer: Analyzer, picture: images.Picture) -> Match | None:
    prediction = analyzer.predict(picture.pixels)
    limits = analyzer.card.rejection
    if prediction.verdict == "rejected":
        return None
    if analyzer.plugin.counts in prediction.details:
        return Match(analyzer.disease, 0.0)  # it found the very objects that it looks for
    if limits is None or prediction.distance is None:
        return None
    return Match(analyzer.disease, prediction.distance / limits.limit)


def _warn(problem: registry.Problem) -> None:
    import warnings

    warnings.warn(f"A plugin was left out: {problem}", RuntimeWarning, stacklevel=3)


def _view(region: Region, picture: images.Picture) -> images.Picture:
    """A judged region as a picture of its own."""
    pixels = region.pixels
    assert pixels is not None
    return images.Picture(pixels, picture.name, lambda: pixels)


def _tensor(tensor: object, picture: images.Picture) -> Tensor:
    """A plugin's own preprocess may return a plain array: then it is taken to show the whole picture."""
    if isinstance(tensor, Tensor):
        return tensor
    height, width = picture.pixels.shape[:2]
    return Tensor(np.asarray(tensor), View(0, 0, width, height))


def _check_contract(model: Model, card: Card) -> None:
    """The model is what the card says of it, or its scores would be zipped with another model's labels."""
    expected = (1, card.input.height, card.input.width, card.input.channels)
    shapes = model.output_shapes
    complaint = None
    if model.input_shape != expected or model.input_dtype != card.input.dtype:
        complaint = f"the model wants {model.input_dtype} {model.input_shape}, the card says {card.input.dtype} {expected}"
    elif shapes.get(card.outputs.logits) != (1, card.logits):
        complaint = f"the model's outputs are {shapes}, the card wants {card.outputs.logits!r} (1, {card.logits})"
    elif missing := {*card.outputs.context, *([card.outputs.features] if card.outputs.features else [])} - {*shapes}:
        complaint = f"the model's outputs are {sorted(shapes)}, the card wants {sorted(missing)}"
    if complaint:
        raise BrokenPluginError(card.disease, f"{card.disease}: {complaint}.", "Update or reinstall the plugin.")


def _timings(begin: float, decoded: float, prepared: float, invoked: float, end: float) -> Timings:
    def ms(seconds: float) -> float:
        return round(seconds * 1000, 3)

    return Timings(ms(decoded - begin), ms(prepared - decoded), ms(invoked - prepared), ms(end - invoked))
