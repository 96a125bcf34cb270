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
    _mark("a field of a Giemsa-stained thin blood smear under the microscope, or a single red blood cell cut out of one"),
    _mark("a frontal chest X-ray film"),
    _mark("a dermoscopic photograph of one pigmented skin lesion"),
    _mark("a colour fundus photograph"),
    _mark("uninfected cell"),
    _mark("parasitised cell"),
    _mark("none of the three"),
    _mark("pneumonia"),
    _mark("other pneumonia"),
    _mark("tuberculosis"),
    _mark("melanocytic nevus"),
    _mark("benign keratosis (seborrhoeic, solar lentigo, lichen planus-like)"),
    _mark("vascular lesion"),
    _mark("dermatofibroma"),
    _mark("melanoma"),
    _mark("basal cell carcinoma"),
    _mark("actinic keratosis or Bowen's disease"),
    _mark("no retinopathy (grade 0)"),
    _mark("mild (grade 1)"),
    _mark("moderate (grade 2)"),
    _mark("severe (grade 3)"),
    _mark("proliferative (grade 4)"),
    _mark("The picture is blank: it has no contrast."),
    _mark("The picture is too small for a field: at least 160 pixels and four cells across are needed."),
    _mark("The picture shows one cell or very few, not a field."),
    _mark("The field is blank: nothing is stained; move to a part of the smear with cells."),
    _mark("The field is too dark; give it more light or a longer exposure."),
    _mark("The field is overexposed: the empty slide is pure white; give it less light or a shorter exposure."),
    _mark("The field is out of focus."),
    _mark("This does not look like a thin blood smear: no round single cells on an even, pale slide."),
    _mark("The field holds too few whole cells to be counted."),
    _mark("Too many cells overlap; move to a thinner part of the smear, where cells lie side by side."),
)
