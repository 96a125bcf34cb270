from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

import medsdk


def test_the_same_picture_from_every_kind_of_source(
    retinopathy: medsdk.Analyzer, fundus: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "eye.png"
    cv2.imwrite(str(path), fundus[..., ::-1])
    with path.open("rb") as file:
        predictions = [
            retinopathy.predict(source)
            for source in (path, str(path), path.read_bytes(), file, fundus, PIL.Image.open(path))
        ]
    assert predictions[0].verdict != "rejected"
    for other in predictions[1:]:
        assert (other.scores, other.distance, other.verdict) == (
            predictions[0].scores,
            predictions[0].distance,
            predictions[0].verdict,
        )
        assert np.array_equal(other.attention, predictions[0].attention)


def test_a_prediction_tells_everything(retinopathy: medsdk.Analyzer, fundus: np.ndarray) -> None:
    prediction = retinopathy.predict(fundus)
    assert prediction.disease == "retinopathy"
    assert [score.probability for score in prediction.scores] == sorted(
        (score.probability for score in prediction.scores), reverse=True
    )
    assert sum(score.probability for score in prediction.scores) == pytest.approx(1)
    assert prediction.label == prediction.scores[0].label
    assert prediction.provenance is not None
    assert prediction.provenance.distribution == "medsdk-retinopathy"
    assert prediction.provenance.model_sha256 == retinopathy.card.model.sha256
    assert prediction.timings.invoke > 0
    assert "not a diagnosis" in prediction.to_json()
    with pytest.raises(AttributeError):
        prediction.verdict = "positive"


def test_attention_covers_the_source(retinopathy: medsdk.Analyzer, fundus: np.ndarray) -> None:
    attention = retinopathy.predict(fundus).attention
    assert attention is not None
    assert attention.shape == fundus.shape[:2]
    assert attention.dtype == np.float32
    assert 0 <= float(attention.min()) <= float(attention.max()) <= 1
    assert attention.overlay().shape == fundus.shape


def test_eight_threads_say_what_one_says(malaria: medsdk.Analyzer, drawn: np.ndarray) -> None:
    random = np.random.default_rng(3)
    pictures = [np.roll(drawn, int(random.integers(100)), axis=1) for _ in range(20)]
    expected = [malaria.predict(picture) for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: malaria.predict(pictures[i % 20]), range(2000)))
    assert all(prediction == expected[i % 20] for i, prediction in enumerate(found))


def test_predict_many_is_in_order_and_carries_errors(malaria: medsdk.Analyzer, drawn: np.ndarray) -> None:
    sources = [drawn, b"", drawn[:60], "no/such/file.png", drawn]
    found = list(malaria.predict_many(sources, threads=2))
    assert [p.error is not None for p in found] == [False, True, False, True, False]
    assert found[0] == malaria.predict(drawn)
    assert found[3].source == "no/such/file.png"
    assert found[1].verdict is None
    assert "empty" in str(found[1].to_dict()["error"])


def test_predict_many_holds_only_a_few_pictures(malaria: medsdk.Analyzer, drawn: np.ndarray) -> None:
    taken = 0

    def endless() -> object:
        nonlocal taken
        while True:
            taken += 1
            yield drawn

    stream = malaria.predict_many(endless(), threads=2)
    for _ in range(10):
        next(stream)
    assert taken <= 10 + 2 * 2 + 1
    stream.close()


def test_a_closed_analyzer_says_so(drawn: np.ndarray) -> None:
    with medsdk.load("malaria") as analyzer:
        analyzer.predict(drawn)
    with pytest.raises(medsdk.MedsdkError, match="closed"):
        analyzer.predict(drawn)


def test_an_untrained_model_never_gives_a_verdict(malaria: medsdk.Analyzer) -> None:
    import msgspec

    class Placeholder(medsdk.DiseasePlugin):
        bundle = malaria.plugin.bundle

        @property
        def card(self) -> medsdk.Card:
            return msgspec.structs.replace(super().card, status="untrained", rejection=None)

    cell = np.full((64, 64, 3), 0, np.uint8)
    cv2.circle(cell, (32, 32), 24, (190, 120, 150), -1)
    prediction = medsdk.load(Placeholder()).predict(cell)
    assert prediction.verdict == "inconclusive"
    assert "untrained" in str(prediction.reason)


def test_a_plugins_own_plain_array_is_taken(malaria: medsdk.Analyzer, drawn: np.ndarray) -> None:
    class Plain(medsdk.DiseasePlugin):
        bundle = malaria.plugin.bundle

        def preprocess(self, image: np.ndarray) -> np.ndarray:
            return super().preprocess(image).values

    assert medsdk.load(Plain()).predict(drawn).distance == malaria.predict(drawn).distance


def test_a_card_for_another_model_is_refused(malaria: medsdk.Analyzer, drawn: np.ndarray) -> None:
    import msgspec

    class Mismatched(medsdk.DiseasePlugin):
        bundle = malaria.plugin.bundle

        @property
        def card(self) -> medsdk.Card:
            card = super().card
            third = msgspec.structs.replace(card.labels[0], id="third")
            return msgspec.structs.replace(card, labels=(*card.labels, third))

    with pytest.raises(medsdk.BrokenPluginError, match="card wants"):
        medsdk.load(Mismatched()).predict(drawn)


def test_a_file_object_is_read_once_and_can_still_be_painted(retinopathy: medsdk.Analyzer, fundus: np.ndarray) -> None:
    file = io.BytesIO(cv2.imencode(".png", fundus[..., ::-1])[1].tobytes())
    prediction = retinopathy.predict(file)
    file.close()
    assert prediction.attention is not None
    assert prediction.attention.overlay().shape == fundus.shape


def test_a_camera_photograph_and_its_small_copy_are_judged_alike(retinopathy: medsdk.Analyzer, fundus: np.ndarray) -> None:
    large = cv2.resize(fundus, (3400, 3400), interpolation=cv2.INTER_CUBIC)
    encoded = cv2.imencode(".jpg", large[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    small = cv2.resize(fundus, (700, 700), interpolation=cv2.INTER_AREA)
    first, second = retinopathy.predict(encoded), retinopathy.predict(small)
    assert first.label == second.label
    assert first.probability == pytest.approx(second.probability, abs=0.08)
    assert first.attention is not None
    assert first.attention.shape == (3400, 3400)


def test_a_model_that_answers_with_nan_is_broken(
    malaria: medsdk.Analyzer, drawn: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medsdk.core.runtime import Model

    run = Model.run
    monkeypatch.setattr(Model, "run", lambda self, values: {k: v * np.nan for k, v in run(self, values).items()})
    with pytest.raises(medsdk.BrokenPluginError, match="not numbers"):
        malaria.predict(drawn)
