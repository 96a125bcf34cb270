"""Pictures that hold many objects: found by the plugin, judged one by one, added up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import msgspec
import numpy as np
import pytest

import medsdk
from medsdk.core.analyzer import Analyzer
from medsdk.core.images import REDUCE_ABOVE, Picture, Pixels
from medsdk.core.prediction import Prediction
from medsdk.core.regions import NONE_FOUND, Region, Regions

Finder = Callable[[Pixels], Regions | None]


def halves(image: Pixels) -> Regions:
    """A tile splitter of two tiles."""
    height, width = image.shape[:2]
    middle = width // 2
    return Regions(
        (
            Region((0, 0, middle, height), image[:, :middle]),
            Region((middle, 0, width - middle, height), image[:, middle:]),
        )
    )


def analyzer_of(malaria: medsdk.Analyzer, finder: Finder | None) -> Analyzer:
    class Tiles(medsdk.DiseasePlugin):
        bundle = malaria.plugin.bundle

        @property
        def card(self) -> medsdk.Card:
            return msgspec.structs.replace(super().card, rejection=None)

    class Splitter(Tiles):
        def regions(self, image: Pixels) -> Regions | None:
            assert finder is not None
            return finder(image)

    return medsdk.load(Tiles() if finder is None else Splitter())


def test_a_picture_is_as_ill_as_its_most_ill_region(malaria: medsdk.Analyzer, drawn: Pixels) -> None:
    alone = analyzer_of(malaria, None)
    left, right = (alone.predict(np.ascontiguousarray(region.pixels)) for region in halves(drawn).items)
    finding = analyzer_of(malaria, halves).predict(drawn)
    assert finding.probability == max(left.probability or 0, right.probability or 0)
    assert finding.details["regions"] == 2
    assert finding.source == "array"
    assert finding.timings.invoke > 0
    assert finding.provenance is not None


@pytest.mark.parametrize(
    "found", [None, Regions(), Regions(certain=False)], ids=["no finder's picture", "nothing found", "doubted"]
)
def test_only_who_is_told_looks_for_regions_at_any_price(
    malaria: medsdk.Analyzer, drawn: Pixels, found: Regions | None
) -> None:
    analyzer = analyzer_of(malaria, lambda _: found)
    one = analyzer_of(malaria, None).predict(drawn)
    assert analyzer.predict(drawn, as_regions=False) == one
    told = analyzer.predict(drawn, as_regions=True)
    assert (told.verdict, told.reason) == ("rejected", NONE_FOUND)
    itself = analyzer.predict(drawn)
    assert itself == (told if found is not None and found.certain else one)


def test_a_refused_picture_says_why_and_no_region_is_judged(malaria: medsdk.Analyzer, drawn: Pixels) -> None:
    refused = Regions(halves(drawn).items, refusal="The tissue is folded.")
    prediction = analyzer_of(malaria, lambda _: refused).predict(drawn)
    assert (prediction.verdict, prediction.reason) == ("rejected", "The tissue is folded.")
    assert prediction.probability is None
    assert prediction.timings.invoke < 1


def test_the_plugin_adds_up_as_it_likes(malaria: medsdk.Analyzer, drawn: Pixels) -> None:
    class Adder(medsdk.DiseasePlugin):
        bundle = malaria.plugin.bundle

        def regions(self, image: Pixels) -> Regions:
            return halves(image)

        def fold(self, regions: Regions, outputs: Sequence[medsdk.ModelOutputs], picture: Picture) -> Prediction:
            widths = [each.picture.pixels.shape[1] for each in outputs]
            assert [region.box[2] for region in regions.items] == widths
            return Prediction(self.card.disease, picture.name, "negative", details={"pixels": sum(widths)})

    with medsdk.load(Adder()) as analyzer:
        assert analyzer.predict(drawn).details == {"pixels": 160}
        assert [each.details for each in analyzer.predict_many([drawn] * 3, threads=2)] == [{"pixels": 160}] * 3
        assert all(each.details == {} for each in analyzer.predict_many([drawn], as_regions=False))


def test_a_region_without_pixels_counts_and_is_not_judged(malaria: medsdk.Analyzer, drawn: Pixels) -> None:
    def first_of_three(image: Pixels) -> Regions:
        left, right = halves(image).items
        return Regions((Region((0, 0, 5, 5), None), right, Region(left.box, None)))

    class Adder(medsdk.DiseasePlugin):
        bundle = malaria.plugin.bundle

        def regions(self, image: Pixels) -> Regions:
            return first_of_three(image)

        def fold(self, regions: Regions, outputs: Sequence[medsdk.ModelOutputs], picture: Picture) -> Prediction:
            assert [region.box for region in regions.judged] == [(80, 0, 80, 120)]
            return Prediction(self.card.disease, picture.name, "negative", details={"n": [len(regions.items), len(outputs)]})

    with medsdk.load(Adder()) as analyzer:
        assert analyzer.predict(drawn).details == {"n": [3, 1]}
    by_default = analyzer_of(malaria, first_of_three).predict(drawn)
    assert by_default.details["regions"] == 1
    assert all(each["box"] == (80, 0, 80, 120) for each in by_default.details["found"])


def test_a_finder_gets_the_whole_picture_and_others_a_smaller_one(malaria: medsdk.Analyzer) -> None:
    side = int(REDUCE_ABOVE**0.5) + 200
    jpeg = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8))[1].tobytes()
    seen = []

    def look(image: Pixels) -> None:
        seen.append(image.shape[0])

    analyzer_of(malaria, look).predict(jpeg)
    assert seen == [side]
    assert analyzer_of(malaria, None).outputs(jpeg).picture.scale > 1


@pytest.mark.parametrize("box", [(-1, 0, 5, 5), (0, 0, 0, 5), (150, 0, 20, 20)])
def test_a_box_outside_the_picture_is_the_plugins_fault(
    malaria: medsdk.Analyzer, drawn: Pixels, box: tuple[int, int, int, int]
) -> None:
    bad = Regions((Region(box, drawn),))
    with pytest.raises(medsdk.BrokenPluginError, match="outside 160×120"):
        analyzer_of(malaria, lambda _: bad).predict(drawn)


def test_a_finder_that_returns_something_else_is_the_plugins_fault(malaria: medsdk.Analyzer, drawn: Pixels) -> None:
    with pytest.raises(medsdk.BrokenPluginError, match="returned list"):
        analyzer_of(malaria, lambda _: []).predict(drawn)  # type: ignore[arg-type,return-value]
