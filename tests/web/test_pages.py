"""The pages without a browser: what stands in them, and that they work without JavaScript."""

from __future__ import annotations

import html
import re

import drawing
import pytest
from serving import Running

SLIDE = drawing.encoded(drawing.slide(7, seed=107))
CLEAR = drawing.encoded(drawing.slide(0, seed=100))
CLOSE = drawing.encoded(drawing.slide(5, seed=105))
MEADOW = drawing.encoded(drawing.meadow())
BLANK = drawing.encoded(drawing.slide(0)[:2, :2] * 0 + 200)


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def judge(running: Running, content: bytes, disease: str = "spots", **options: str) -> str:
    address = "/judge?" + "&".join(["part=1", *(f"{name}={value}" for name, value in options.items())])
    answer = running.client.post(address, files={"picture": ("a.png", content)}, data={"disease": disease})
    assert answer.status_code == 200
    return answer.text


def test_home_says_what_it_is_and_is_not_and_shows_every_disease(running: Running) -> None:
    text = text_of(running.client.get("/").text)
    assert "does not replace a doctor" in text
    assert "Red spots" in text
    assert "Marks <script>alert(1)</script> 100% & more" in text
    assert "cannot be used: broken" in text


def test_home_without_a_disease_says_how_to_install_one(plugins) -> None:  # type: ignore[no-untyped-def]
    from serving import serving

    with serving(plugins, "") as empty:
        assert "<code>medsdk list</code>" in empty.client.get("/").text
        assert empty.client.get("/api/v1/readiness").json() == {"state": "no disease"}


@pytest.mark.parametrize(
    ("content", "verdict", "words"),
    [
        (SLIDE, "positive", "Of 100 such pictures with this score, about 87 show the disease."),
        (CLEAR, "negative", "That does not rule it out."),
        (CLOSE, "inconclusive", "Too close to call."),
        (MEADOW, "rejected", "It needs: a drawn slide"),
        (BLANK, "rejected", "The picture is blank"),
        (b"<html>", "error", "Choose a JPEG, PNG, WebP, TIFF or BMP picture."),
        (SLIDE[:-100], "error", "damaged or cut short"),
    ],
)
def test_each_verdict_has_its_plain_sentence(running: Running, content: bytes, verdict: str, words: str) -> None:
    part = judge(running, content)
    assert f'data-verdict="{verdict}"' in part
    assert words in text_of(part)


def test_a_judged_picture_shows_classes_operating_point_overlay_and_origin(running: Running) -> None:
    part = judge(running, SLIDE)
    text = text_of(part)
    assert all(name in text for name in ("Clear", "Few spots", "Many spots"))
    assert "From 45.0% on, the answer is positive. Between 40.0% and 55.0% it is inconclusive." in text
    assert part.count("data:image/png;base64,") == 3
    assert "medsdk-spots 0.1.0" in text
    assert "not a diagnosis" in text


def test_where_no_place_spoke_for_the_disease_there_is_no_overlay(running: Running) -> None:
    part = judge(running, CLEAR)
    assert 'data-verdict="negative"' in part
    assert part.count("data:image/png;base64,") == 1
    assert "No place in it spoke for the disease." in text_of(part)


def test_a_rejected_picture_shows_itself_but_no_probability(running: Running) -> None:
    part = judge(running, MEADOW)
    assert part.count("data:image/png;base64,") == 1
    assert "Probability" not in part


def test_nobody_chose_and_several_fit(running: Running) -> None:
    part = judge(running, SLIDE, disease="")
    assert 'data-verdict="choose"' in part
    assert 'data-disease="spots"' in part
    assert "fits 2 diseases" in text_of(part)


def test_nobody_chose_and_none_fits(running: Running) -> None:
    assert "No installed disease knows this kind of picture." in text_of(judge(running, MEADOW, disease=""))


def test_nobody_chose_and_one_fits(few: Running) -> None:
    assert 'data-verdict="positive"' in judge(few, SLIDE, disease="")


def test_an_unknown_disease_is_a_page_that_says_so(running: Running) -> None:
    answer = running.client.post("/judge", files={"picture": SLIDE}, data={"disease": "nothing"})
    assert answer.status_code == 404
    assert "There is no such disease here." in text_of(answer.text)


def test_without_a_script_several_pictures_come_back_on_one_page(running: Running) -> None:
    files = [("picture", ("<b>one</b>.png", SLIDE)), ("picture", ("two.png", b"no")), ("picture", ("", b""))]
    answer = running.client.post("/judge", files=files, data={"disease": "spots"})
    assert answer.status_code == 200
    assert answer.text.count('class="result ') == 2
    assert "<b>one" not in answer.text
    assert "&lt;b&gt;one&lt;/b&gt;.png" in answer.text


def test_without_a_picture_the_page_asks_for_one(running: Running) -> None:
    answer = running.client.post("/judge", files={"picture": ("", b"")}, data={"disease": "spots"})
    assert answer.status_code == 422
    assert "Choose a picture first." in text_of(answer.text)


def test_the_card_explains_each_figure(running: Running) -> None:
    text = text_of(running.client.get("/diseases/spots").text)
    assert "1,200 pictures, 400 of them with the disease." in text
    assert "Of 100 pictures with the disease it finds about 95." in text
    assert "Its percentages are about 2 points off on average." in text
    assert "0.930 to 0.970" in text
    assert "It knows nothing of any disease." in text


def test_pages_come_in_the_browsers_language_and_in_the_one_chosen(running: Running) -> None:
    french = running.client.get("/", headers={"accept-language": "fr-CH, fr;q=0.9, en;q=0.8"})
    assert '<html lang="fr">' in french.text
    assert "Un second regard" in french.text
    assert french.headers["content-language"] == "fr"
    chosen = running.client.get("/?lang=hi")
    assert "medsdk_language=hi" in chosen.headers["set-cookie"]
    again = running.client.get("/", headers={"cookie": "medsdk_language=hi", "accept-language": "es"})
    assert '<html lang="hi">' in again.text
    running.client.cookies.clear()
    assert '<html lang="en">' in running.client.get("/?lang=xx", headers={"accept-language": "de;q=1, *"}).text


def test_numbers_and_plurals_follow_the_language_and_foreign_texts_are_marked(running: Running) -> None:
    part = judge(running, SLIDE, lang="fr")
    running.client.cookies.clear()
    assert "86,8\u00a0%" in part
    assert "environ 87 montrent la maladie" in part
    assert '<span lang="en">Few spots</span>' in part
    assert '<p class="sentence">L’image' in part  # and what is French already is not marked
