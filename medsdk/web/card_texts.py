"""Texts of the shipped plugins' cards and of the core, so that the catalogues hold them. Other cards' stay as they are."""

from __future__ import annotations


def _mark(text: str) -> str:
    """Marks a text for the catalogue (gettext's N_)."""
    return text


TEXTS = (
    _mark("Malaria"),
    _mark("COVID-19 pneumonia"),
    _mark("Skin cancer"),
    _mark("Pulmonary tuberculosis"),
    _mark("Pneumonia"),
    _mark("Diabetic retinopathy"),
    _mark("a single red blood cell of a Giemsa-stained thin smear, cut out of its field"),
    _mark("a frontal chest X-ray film"),
    _mark("a dermoscopic photograph of one pigmented skin lesion"),
    _mark("a colour fundus photograph"),
    _mark("uninfected cell"),
    _mark("parasitised cell"),
    _mark("none of the three"),
    _mark("pneumonia"),
    _mark("other pneumonia"),
    _mark("tuberculosis"),
    _mark("benign lesion"),
    _mark("malignant lesion (melanoma, basal cell carcinoma, actinic keratosis)"),
    _mark("no retinopathy (grade 0)"),
    _mark("mild (grade 1)"),
    _mark("moderate (grade 2)"),
    _mark("severe (grade 3)"),
    _mark("proliferative (grade 4)"),
    _mark("The picture is blank: it has no contrast."),
)
