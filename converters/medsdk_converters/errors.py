"""What can go wrong while a bundle is made.

MedsdkError
├── RecipeError                     the recipe is invalid, or does not fit the data
├── medsdk.evaluation.DataError     a labelled set cannot be used
│   └── DataError                       it can be read, but not be trained on; or a model that is brought does not fit
└── GateError                       a model did not pass the checks; nothing was written
"""

from __future__ import annotations

from medsdk.core.errors import MedsdkError
from medsdk.evaluation import data


class RecipeError(MedsdkError): ...


class DataError(data.DataError):
    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(None, problem, remedy)


class GateError(MedsdkError): ...
