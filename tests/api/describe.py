"""The public API as text: every public name with its signature, and what else plugins and programs hold on to.

    python tests/api/describe.py > tests/api/api.txt

A change of api.txt is a change of what is promised: see docs/reference/stability.md before you commit one.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any

import msgspec

import medsdk
import medsdk.testing
from medsdk.cli import exit_codes
from medsdk.core import hookspecs


def describe() -> Iterator[str]:
    """One line for each thing that is promised."""
    for module in (medsdk, medsdk.testing):
        for name in module.__all__:
            yield from _name(f"{module.__name__}.{name}", getattr(module, name))
    for name, hook in sorted(vars(hookspecs).items()):
        if name.startswith("medsdk_"):
            yield f"hook {name}{inspect.signature(hook)}"
    yield f"medsdk_api {hookspecs.API_VERSION}"
    for name, value in vars(exit_codes).items():
        if name.isupper() and isinstance(value, int):
            yield f"exit code {value} {name}"


def _name(name: str, value: Any) -> Iterator[str]:
    if not inspect.isclass(value):
        # A marker's signature is pluggy's, and changes with its versions.
        yield f"{name}{inspect.signature(value)}" if inspect.isfunction(value) else name
        return
    bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
    yield f"class {name}({bases})" if bases else f"class {name}"
    if issubclass(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            yield f"    {name}.{field.encode_name}{'' if field.required else ' = …'}"
    elif dataclasses.is_dataclass(value):
        for entry in dataclasses.fields(value):
            optional = entry.default is not dataclasses.MISSING or entry.default_factory is not dataclasses.MISSING
            yield f"    {name}.{entry.name}: {entry.type}{' = …' if optional else ''}"
    else:
        yield from (f"    {name}.{key}: {kind}" for key, kind in inspect.get_annotations(value).items() if key[0] != "_")
        if "__init__" in vars(value):
            yield f"    {name}.__init__{inspect.signature(value.__init__)}"
    for member, inner in sorted(vars(value).items()):
        if not member.startswith("_"):
            yield from _member(f"    {name}.{member}", inner)


def _member(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, (classmethod, staticmethod)):
        yield f"{name}{inspect.signature(value.__func__)}"
    elif isinstance(value, property):
        yield f"{name} -> {inspect.signature(value.fget).return_annotation}" if value.fget else name
    elif inspect.isfunction(value):
        yield f"{name}{inspect.signature(value)}"
    elif hasattr(value, "func") and hasattr(value, "attrname"):  # a cached property
        yield f"{name} -> {inspect.signature(value.func).return_annotation}"


if __name__ == "__main__":
    print("\n".join(describe()))
