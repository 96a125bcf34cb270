"""Labelled pictures: a folder a class, a CSV, or a tar pack, all read in place.

    folder     [split/]label/picture.png; or a folder with a manifest.csv
    CSV        file,label[,group][,source][,split][,…], files relative to the CSV or to images/ beside it
    tar pack   an uncompressed tar with manifest.csv (the same columns) and images/

Nothing is decoded here and nothing extracted: a picture is bytes at a place, read when they are asked for.
"""

from __future__ import annotations

import csv
import io
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medsdk.core.card import Label
from medsdk.core.errors import MedsdkError, SourceNotFoundError

MANIFEST = "manifest.csv"
IMAGES = "images"
# Above this share of unreadable pictures the set itself is wrong, and figures on the rest would mislead.
UNREADABLE_SHARE = 0.01

_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
    "external": "external",
}
_NOT_PICTURES = {"thumbs.db", "desktop.ini"}
_SHOWN = 5


class DataError(MedsdkError):
    """A labelled set cannot be used. `path` is the folder, CSV or tar; None where no one of them is at fault."""

    def __init__(self, path: Path | str | None, problem: str, remedy: str) -> None:
        self.path = None if path is None else str(path)
        super().__init__(problem if path is None else f"{path}: {problem}", remedy)


@dataclass(frozen=True)
class Place:
    """Where a picture's bytes are: a whole file, or `size` bytes from `offset` of a tar."""

    path: Path
    offset: int = 0
    size: int | None = None

    def read(self) -> bytes:
        """The bytes. Raises OSError."""
        # Opened anew each time: threads share no position, and a set of any size holds no file open.
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read() if self.size is None else file.read(self.size)


@dataclass(frozen=True)
class LabelledPicture:
    """One picture and what is known of it.

    `label` is the manifest's word, not yet the card's; `group` the patient, lesion or field, and the name itself where
    no group is given; `split` and `source` are empty where not given; `extra` holds the manifest's other columns.
    """

    name: str
    label: str
    group: str
    split: str
    source: str
    place: Place = field(repr=False)
    extra: dict[str, str] = field(default_factory=dict)

    def read(self) -> bytes:
        """The encoded picture. May be called from many threads. Raises SourceNotFoundError."""
        try:
            return self.place.read()
        except OSError as error:
            raise SourceNotFoundError(self.name, f"it cannot be read ({error.strerror}).", "Check the data set.") from None


def read_labelled(path: Path) -> list[LabelledPicture]:
    """Every labelled picture of a folder, CSV or tar, in the manifest's order (folders: by name). Raises DataError."""
    if path.is_dir():
        manifest = path / MANIFEST
        pictures = _from_csv(manifest) if manifest.is_file() else _from_folders(path)
    elif not path.is_file():
        raise DataError(path, "there is no such folder or file.", "Check the path.")
    elif tarfile.is_tarfile(path):
        pictures = _from_tar(path)
    elif path.suffix.lower() == ".csv":
        pictures = _from_csv(path)
    else:
        raise DataError(path, "this is no set of pictures.", "Give a folder, a CSV or a tar with a manifest.csv.")
    if not pictures:
        raise DataError(path, "there are no pictures in it.", "Put them into a folder for each label.")
    return pictures


def in_split(pictures: Sequence[LabelledPicture], split: str | None = None) -> list[LabelledPicture]:
    """The pictures of a split; by default those of "test" where there is one, else all. "all" means all."""
    splits = sorted({picture.split for picture in pictures})
    if split is None:
        split = "test" if "test" in splits else "all"
    chosen = [picture for picture in pictures if split in ("all", picture.split)]
    if not chosen:
        there = ", ".join(name or "(none)" for name in splits)
        raise MedsdkError(f"No picture is in the split {split!r}.", f"The splits are: {there}; or use --split all.")
    return chosen


def parse_label_map(assignments: Iterable[str]) -> dict[str, str]:
    """{"1": "parasitized"} from ["1=parasitized"]; "unsure=" leaves pictures so labelled out."""
    mapping: dict[str, str] = {}
    for assignment in assignments:
        theirs, equals, ours = (part.strip() for part in assignment.partition("="))
        if not theirs or not equals:
            raise MedsdkError(f"{assignment!r} maps no label.", "Write it as THEIRS=OURS, such as 1=parasitized.")
        if mapping.setdefault(theirs, ours) != ours:
            raise MedsdkError(f"The label {theirs!r} is mapped twice.", "Map it once.")
    return mapping


def with_truth(
    pictures: Sequence[LabelledPicture], labels: Sequence[Label], mapping: Mapping[str, str] | None = None
) -> list[tuple[LabelledPicture, int]]:
    """Each picture with the index of its label among the card's; those mapped to "" are left out.

    A label is the card's id or name, in any case, or what `mapping` makes of it. Raises MedsdkError for any other.
    """
    # Ids last, so that they win over a name that is another label's id.
    words = {label.name.casefold(): index for index, label in enumerate(labels)}
    words |= {label.id.casefold(): index for index, label in enumerate(labels)}
    renamed = mapping or {}
    strange = [ours for ours in renamed.values() if ours and ours.casefold() not in words]
    strange += [picture.label for picture in pictures if picture.label not in renamed]
    strange = sorted({word for word in strange if word.casefold() not in words})
    if strange:
        raise MedsdkError(
            f"{_some(strange)}: not a label of this disease ({', '.join(label.id for label in labels)}).",
            f"Say what it means with --label-map {strange[0]}={labels[0].id}, or leave it out with {strange[0]}=",
        )
    meant = ((picture, renamed.get(picture.label, picture.label)) for picture in pictures)
    return [(picture, words[ours.casefold()]) for picture, ours in meant if ours]


def check_unreadable(path: Path | str, unreadable: Sequence[str], pictures: int) -> None:
    """Raises DataError if more than 1 % of the pictures could not be read, naming the first of them."""
    if len(unreadable) > UNREADABLE_SHARE * pictures:
        raise DataError(
            path,
            f"{len(unreadable)} of {pictures} pictures cannot be read: {_some(unreadable)}.",
            "Get a whole copy of the set, or take these pictures out.",
        )


def _from_folders(root: Path) -> list[LabelledPicture]:
    folders = _subfolders(root)
    splits = [folder for folder in folders if folder.name.lower() in _SPLITS]
    if not splits:
        return _from_classes(root, folders, "")
    if len(splits) < len(folders):
        others = [folder.name for folder in folders if folder not in splits]
        raise DataError(root, f"splits and other folders stand side by side: {_some(others)}.", "Put them into the splits.")
    return [
        picture for folder in splits for picture in _from_classes(root, _subfolders(folder), _SPLITS[folder.name.lower()])
    ]


def _from_classes(root: Path, folders: Sequence[Path], split: str) -> list[LabelledPicture]:
    return [
        LabelledPicture(name, folder.name, name, split, "", Place(file))
        for folder in folders
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not _is_litter(file.relative_to(root))
        for name in [file.relative_to(root).as_posix()]
    ]


def _subfolders(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))


def _is_litter(file: Path) -> bool:
    """What file managers leave behind. Every other file counts as a picture, so that none is lost in silence."""
    return file.name.lower() in _NOT_PICTURES or any(part.startswith(".") for part in file.parts)


def _from_csv(path: Path) -> list[LabelledPicture]:
    def find(file: str) -> Place | None:
        for candidate in (path.parent / file, path.parent / IMAGES / file):
            if candidate.is_file():
                return Place(candidate)
        return None

    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(path, f"it cannot be read ({error.strerror}).", "Check its permissions.") from None
    return _from_rows(path, content, find)


def _from_tar(path: Path) -> list[LabelledPicture]:
    members = _members(path)
    # A pack made of a folder has that folder's name before every member.
    manifests = sorted((name for name in members if name.rpartition("/")[2] == MANIFEST), key=len)
    if not manifests:
        raise DataError(path, f"there is no {MANIFEST} in it.", "Add one with the columns file,label,group,split.")
    folder = manifests[0].removesuffix(MANIFEST)

    def find(file: str) -> Place | None:
        return members.get(f"{folder}{IMAGES}/{file}") or members.get(folder + file)

    return _from_rows(path, members[manifests[0]].read(), find)


def _members(path: Path) -> dict[str, Place]:
    try:
        with tarfile.open(path, "r:") as tar:
            return {
                member.name.removeprefix("./"): Place(path, member.offset_data, member.size)
                for member in tar
                if member.isreg() and not member.issparse()
            }
    except tarfile.ReadError as error:
        raise DataError(
            path, f"it cannot be read in place ({error}).", "Give an uncompressed, whole tar, or a folder."
        ) from None


def _from_rows(path: Path, content: bytes, find: Callable[[str], Place | None]) -> list[LabelledPicture]:
    try:
        # Excel writes a byte order mark.
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        columns = list(rows.fieldnames or ())
        if "file" not in columns or "label" not in columns:
            raise DataError(path, f"its columns are {columns}.", "It needs file,label and may have group,source,split.")
        pictures, missing = [], []
        for row in rows:
            if None in row.values() or None in row:
                raise DataError(path, f"line {rows.line_num} has not {len(columns)} fields.", "Correct that line.")
            place = find(row["file"])
            if place is None:
                missing.append(row["file"])
            else:
                pictures.append(_from_row(path, row, place, rows.line_num))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(path, f"it is no CSV in UTF-8 ({error}).", "Save it as CSV, UTF-8, with commas.") from None
    if missing:
        problem = f"{len(missing)} files are not there: {_some(missing)}."
        raise DataError(path, problem, "Add the files, or take their lines out.")
    _refuse_repeated(path, pictures)
    return pictures


def _from_row(path: Path, row: dict[str, str], place: Place, line: int) -> LabelledPicture:
    known = {column: row.get(column, "").strip() for column in ("file", "label", "group", "split", "source")}
    if not known["file"] or not known["label"]:
        raise DataError(path, f"line {line} has no file or no label.", "Fill it in, or take the line out.")
    extra = {column: value for column, value in row.items() if column not in known}
    group = known["group"] or known["file"]
    return LabelledPicture(known["file"], known["label"], group, known["split"], known["source"], place, extra)


def _refuse_repeated(path: Path, pictures: Iterable[LabelledPicture]) -> None:
    times = Counter(picture.name for picture in pictures)
    repeated = [name for name, count in times.items() if count > 1]
    if repeated:
        raise DataError(path, f"files are named twice: {_some(repeated)}.", "Take the second lines out.")


def _some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
