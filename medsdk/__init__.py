"""medsdk: does this picture show this disease?

    import medsdk

    malaria = medsdk.load("malaria")
    print(malaria.predict("cell.png").verdict)

Everything here is imported when it is first used, so that `import medsdk` costs next to nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medsdk.camera.watch import watch as watch
    from medsdk.core.analyzer import Analyzer as Analyzer
    from medsdk.core.analyzer import Match as Match
    from medsdk.core.analyzer import identify as identify
    from medsdk.core.analyzer import load as load
    from medsdk.core.attention import Attention as Attention
    from medsdk.core.attention import Mark as Mark
    from medsdk.core.bundle import Bundle as Bundle
    from medsdk.core.card import Card as Card
    from medsdk.core.card import Label as Label
    from medsdk.core.errors import AttentionUnavailableError as AttentionUnavailableError
    from medsdk.core.errors import BrokenPluginError as BrokenPluginError
    from medsdk.core.errors import BundleError as BundleError
    from medsdk.core.errors import CardError as CardError
    from medsdk.core.errors import DamagedPictureError as DamagedPictureError
    from medsdk.core.errors import DuplicateDiseaseError as DuplicateDiseaseError
    from medsdk.core.errors import InvalidArrayError as InvalidArrayError
    from medsdk.core.errors import MedsdkError as MedsdkError
    from medsdk.core.errors import MissingExtraError as MissingExtraError
    from medsdk.core.errors import ModelDamagedError as ModelDamagedError
    from medsdk.core.errors import PictureTooLargeError as PictureTooLargeError
    from medsdk.core.errors import PluginError as PluginError
    from medsdk.core.errors import RuntimeUnavailableError as RuntimeUnavailableError
    from medsdk.core.errors import SiteError as SiteError
    from medsdk.core.errors import SourceError as SourceError
    from medsdk.core.errors import SourceNotFoundError as SourceNotFoundError
    from medsdk.core.errors import UnknownDiseaseError as UnknownDiseaseError
    from medsdk.core.errors import UnsupportedFormatError as UnsupportedFormatError
    from medsdk.core.errors import WriteError as WriteError
    from medsdk.core.frame import Frame as Frame
    from medsdk.core.frame import View as View
    from medsdk.core.hookspecs import hookimpl as hookimpl
    from medsdk.core.images import Picture as Picture
    from medsdk.core.plugin import DiseasePlugin as DiseasePlugin
    from medsdk.core.plugin import ModelOutputs as ModelOutputs
    from medsdk.core.prediction import Prediction as Prediction
    from medsdk.core.prediction import Score as Score
    from medsdk.core.preprocessing import Tensor as Tensor
    from medsdk.core.regions import Region as Region
    from medsdk.core.regions import Regions as Regions
    from medsdk.core.registry import InstalledDisease as InstalledDisease
    from medsdk.core.registry import Problem as Problem
    from medsdk.core.registry import diseases as diseases
    from medsdk.core.registry import problems as problems
    from medsdk.core.runtime import Model as Model
    from medsdk.slide.session import open_slide as open_slide

__version__ = "0.1.0"

_HOME = {
    "analyzer": ("Analyzer", "Match", "identify", "load"),
    "attention": ("Attention", "Mark"),
    "bundle": ("Bundle",),
    "card": ("Card", "Label"),
    "errors": (
        "AttentionUnavailableError",
        "BrokenPluginError",
        "BundleError",
        "CardError",
        "DamagedPictureError",
        "DuplicateDiseaseError",
        "InvalidArrayError",
        "MedsdkError",
        "MissingExtraError",
        "ModelDamagedError",
        "PictureTooLargeError",
        "PluginError",
        "RuntimeUnavailableError",
        "SiteError",
        "SourceError",
        "SourceNotFoundError",
        "UnknownDiseaseError",
        "UnsupportedFormatError",
        "WriteError",
    ),
    "frame": ("Frame", "View"),
    "hookspecs": ("hookimpl",),
    "images": ("Picture",),
    "plugin": ("DiseasePlugin", "ModelOutputs"),
    "prediction": ("Prediction", "Score"),
    "preprocessing": ("Tensor",),
    "regions": ("Region", "Regions"),
    "runtime": ("Model",),
    "registry": ("InstalledDisease", "Problem", "diseases", "problems"),
}
# The rooms above core: each is one call.
_ROOMS = {"open_slide": "medsdk.slide.session", "watch": "medsdk.camera.watch"}
_MODULE_OF = {name: f"medsdk.core.{module}" for module, names in _HOME.items() for name in names} | _ROOMS

# Names that have another one now: old name to (new name, since, until). They work on, and warn.
_RENAMED: dict[str, tuple[str, str, str]] = {}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        from medsdk.core.deprecation import Deprecation

        new, since, until = _RENAMED[name]
        Deprecation(f"medsdk.{name}", since, until, f"medsdk.{new}").warn()
        return getattr(sys.modules[__name__], new)
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'medsdk' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
