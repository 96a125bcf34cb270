"""Everything that can go wrong, each with the remedy in its text.

MedsdkError
├── SourceError                 a picture cannot be used
│   ├── SourceNotFoundError         no such file, or it may not be read
│   ├── UnsupportedFormatError      not one of the picture formats that are read
│   ├── DamagedPictureError         the right format, but cut short or corrupt
│   ├── PictureTooLargeError        more pixels than the limit, or no pixels at all
│   └── InvalidArrayError           an array of another shape or type than RGB uint8
├── PluginError                 a disease cannot be had
│   ├── UnknownDiseaseError         nothing installed has that id
│   ├── DuplicateDiseaseError       two distributions claim one id
│   └── BrokenPluginError           its code fails, or breaks the contract
├── BundleError                 a plugin's files are wrong
│   ├── CardError                   card.json is missing or invalid
│   └── ModelDamagedError           a file differs from what the card says of it
├── SiteError                   a site's own settings cannot be used
├── RuntimeUnavailableError     no TFLite runtime is installed, or it refuses the model
├── AttentionUnavailableError   this prediction has no attention map
├── WriteError                  a result cannot be written
└── MissingExtraError           an optional dependency is not installed
"""

from __future__ import annotations

from medsdk.core import installing


class MedsdkError(Exception):
    """The root of the tree. `problem` says what was wrong, `remedy` what to do about it."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem} {remedy}".strip())


class SourceError(MedsdkError):
    """A picture cannot be used. `source` is its file name, or what kind of object it was."""

    def __init__(self, source: str, problem: str, remedy: str) -> None:
        self.source = source
        super().__init__(f"{source}: {problem}", remedy)


class SourceNotFoundError(SourceError):
    """No such file, or it may not be read."""


class UnsupportedFormatError(SourceError):
    """Not one of the picture formats that are read."""


class DamagedPictureError(SourceError):
    """The right format, but cut short or corrupt."""


class PictureTooLargeError(SourceError):
    """More pixels than the limit, or none at all."""


class InvalidArrayError(SourceError):
    """Another shape or type than RGB uint8."""


class PluginError(MedsdkError):
    """A disease cannot be had. `disease` is the id that was asked for."""

    def __init__(self, disease: str, problem: str, remedy: str) -> None:
        self.disease = disease
        super().__init__(problem, remedy)


class UnknownDiseaseError(PluginError):
    """Nothing installed has that id."""


class DuplicateDiseaseError(PluginError):
    """Two distributions claim one id."""


class BrokenPluginError(PluginError):
    """The plugin's code fails, or breaks the contract."""


class BundleError(MedsdkError):
    """A bundle's files are wrong. `path` is the file at fault."""

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        self.path = path
        super().__init__(f"{path}: {problem}", remedy)


class CardError(BundleError):
    """card.json is missing or invalid."""


class ModelDamagedError(BundleError):
    """A file differs from what the card says of it."""


class SiteError(MedsdkError):
    """A site's own settings cannot be used: unreadable, or of another model. `path` is their file."""

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        self.path = path
        super().__init__(f"{path}: {problem}", remedy)


class RuntimeUnavailableError(MedsdkError):
    """No TFLite runtime is installed, or it refuses the model."""


class AttentionUnavailableError(MedsdkError):
    """This prediction has no attention map."""


class WriteError(MedsdkError):
    """A result cannot be written."""


class MissingExtraError(MedsdkError):
    """An optional dependency is not installed. `extra` is the name to install it by."""

    def __init__(self, extra: str, needed_for: str) -> None:
        self.extra = extra
        super().__init__(
            f"{needed_for} needs packages that are not installed.",
            f"Install them with: {installing.extra(extra)}",
        )
