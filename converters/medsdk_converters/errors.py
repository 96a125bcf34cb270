"""What can go wrong while a bundle is made.

MedsdkError
├── RecipeError     the recipe is invalid, or does not fit the data
├── DataError       the pictures or their labels cannot be trained on
└── GateError       a model did not pass the checks; nothing was written
"""

from __future__ import annotations

from medsdk.core.errors import MedsdkError


class RecipeError(MedsdkError): ...


class DataError(MedsdkError): ...


class GateError(MedsdkError): ...
