"""What the program's exit codes mean."""

from __future__ import annotations

from medsdk.core.errors import BundleError, MedsdkError, PluginError, RuntimeUnavailableError, SourceError

DONE = 0
FAILED = 1
WRONG_USAGE = 2  # click's own
UNREADABLE_PICTURE = 3
NO_SUCH_DISEASE = 4
MODEL_DAMAGED = 5
SOME_FAILED = 6
FOUND = 10

_CODES: tuple[tuple[type[MedsdkError], int], ...] = (
    (SourceError, UNREADABLE_PICTURE),
    (PluginError, NO_SUCH_DISEASE),
    (BundleError, MODEL_DAMAGED),
    (RuntimeUnavailableError, MODEL_DAMAGED),
)


def exit_code_of(error: MedsdkError) -> int:
    """The code for an error that ends the program."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)
