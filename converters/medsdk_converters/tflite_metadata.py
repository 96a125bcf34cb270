"""TFLite metadata, written by field number: no package that writes it imports on every Python that we serve.

The schema is metadata_schema.fbs of tflite-support (file identifier M001). A flatbuffer table is a list of fields by
number, so that each table here is a dictionary from the schema's field number to a value.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias

from medsdk.core.card import Card
from medsdk_converters.export import Range

MODEL_NAME = "the mobile model"

_ENTRY = b"TFLITE_METADATA"
_IDENTIFIER = b"M001"
_TENSOR_AXIS_LABELS = 2  # AssociatedFileType
_RGB = 1  # ColorSpaceType
_IMAGE_PROPERTIES = 2  # ContentProperties
_NORMALISATION = 1  # ProcessUnitOptions

Field: TypeAlias = tuple[str, Any]


def described(content: bytes, card: Card, labels_file: str, value_range: Range) -> bytes:
    """The model with metadata: what it is, how its input is normalised, which file names its scores."""
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = list(_metadata(card, labels_file, value_range))
    entry.name, entry.buffer = _ENTRY, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(m for m in model.metadata or [] if m.name != _ENTRY), entry]
    builder = import_module("flatbuffers").Builder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def description_of(content: bytes) -> str:
    """The description in a model's metadata; empty where it has none."""
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    for entry in model.metadata or []:
        if entry.name == _ENTRY:
            return _read_string(bytes(model.buffers[entry.buffer].data), field=1)
    return ""


def _metadata(card: Card, labels_file: str, value_range: Range) -> bytes:
    low, high = value_range
    # MediaPipe feeds (pixel - mean) / std: black has to become `low` and white `high`.
    std = 255 / (high - low)
    normalisation = {0: ("floats", [-low * std]), 1: ("floats", [std])}
    given = {
        0: ("text", "image"),
        1: ("text", card.picture),
        3: ("table", {0: ("table", {0: ("byte", _IMAGE_PROPERTIES), 1: ("table", {0: ("byte", _RGB)})})}),
        4: ("tables", [{0: ("byte", _NORMALISATION), 1: ("table", normalisation)}]),
        5: ("table", {0: ("floats", [high]), 1: ("floats", [low])}),
    }
    labels = {0: ("text", labels_file), 1: ("text", "Label ids."), 2: ("byte", _TENSOR_AXIS_LABELS)}
    scores = {0: ("text", "probability"), 6: ("tables", [labels])}
    root = {
        0: ("text", card.name),
        1: ("text", f"{card.intended_use} Made with the model {card.model.sha256}"),
        3: ("tables", [{2: ("tables", [given]), 3: ("tables", [scores])}]),
        5: ("text", card.licence),
        7: ("text", "1.0.0"),
    }
    builder = import_module("flatbuffers").Builder(1024)
    builder.Finish(_table(builder, root), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def _table(builder: Any, fields: dict[int, Field]) -> int:
    # What a table points to has to be written before the table is begun.
    offsets = {number: _WRITERS[kind](builder, value) for number, (kind, value) in fields.items() if kind in _WRITERS}
    builder.StartObject(max(fields) + 1)
    for number, (kind, value) in fields.items():
        if kind == "byte":
            builder.PrependInt8Slot(number, value, 0)
        else:
            builder.PrependUOffsetTRelativeSlot(number, offsets[number], 0)
    end: int = builder.EndObject()
    return end


def _tables(builder: Any, tables: list[dict[int, Field]]) -> int:
    offsets = [_table(builder, fields) for fields in tables]
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    end: int = builder.EndVector()
    return end


def _floats(builder: Any, values: list[float]) -> int:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependFloat32(value)
    end: int = builder.EndVector()
    return end


_WRITERS: dict[str, Callable[[Any, Any], int]] = {
    "text": lambda builder, text: builder.CreateString(text),
    "table": _table,
    "tables": _tables,
    "floats": _floats,
}


def _read_string(metadata: bytes, field: int) -> str:
    table = import_module("flatbuffers.table").Table(bytearray(metadata), int.from_bytes(metadata[:4], "little"))
    offset = table.Offset(4 + 2 * field)
    return str(table.String(offset + table.Pos).decode()) if offset else ""
