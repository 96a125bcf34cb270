from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from medsdk.core.card import Label
from medsdk.core.errors import MedsdkError, SourceNotFoundError
from medsdk.evaluation.data import (
    DataError,
    check_unreadable,
    in_split,
    parse_label_map,
    read_labelled,
    with_truth,
)

LABELS = (Label("parasitized", "Parasitized cell", True), Label("uninfected", "Uninfected cell", False))

WriteTar = Callable[..., Path]


def touch(root: Path, *names: str) -> None:
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(name.encode())


def test_a_folder_a_class(tmp_path: Path) -> None:
    touch(
        tmp_path, "uninfected/b.png", "parasitized/deep/a.png", "parasitized/.DS_Store", "parasitized/Thumbs.db", ".x/c.png"
    )
    found = read_labelled(tmp_path)
    assert [(picture.name, picture.label, picture.split) for picture in found] == [
        ("parasitized/deep/a.png", "parasitized", ""),
        ("uninfected/b.png", "uninfected", ""),
    ]
    assert found[0].group == found[0].name
    assert found[0].read() == b"parasitized/deep/a.png"


def test_splits_above_the_classes(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.png", "Validation/a/1.png", "test/b/1.png")
    found = {picture.name: (picture.label, picture.split) for picture in read_labelled(tmp_path)}
    assert found == {
        "train/a/1.png": ("a", "train"),
        "Validation/a/1.png": ("a", "val"),
        "test/b/1.png": ("b", "test"),
    }


def test_a_file_that_is_no_picture_is_not_lost_in_silence(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "a/notes.txt")
    assert len(read_labelled(tmp_path)) == 2


def test_splits_beside_classes_are_an_error(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.png", "parasitized/1.png")
    with pytest.raises(DataError, match="side by side: parasitized"):
        read_labelled(tmp_path)


@pytest.mark.parametrize("folder", ["", "images/"])
def test_a_csv_finds_files_beside_it_and_in_images(tmp_path: Path, folder: str) -> None:
    touch(tmp_path, f"{folder}1.png")
    path = tmp_path / "labels.csv"
    path.write_text("\ufefffile,label,group,stain\r\n1.png, a ,p1,giemsa\r\n", encoding="utf-8")
    (found,) = read_labelled(path)
    assert (found.label, found.group, found.split, found.source) == ("a", "p1", "", "")
    assert found.extra == {"stain": "giemsa"}
    assert found.read().endswith(b"1.png")


def test_a_folder_with_a_manifest_is_read_by_it(tmp_path: Path) -> None:
    touch(tmp_path, "images/1.png", "images/not named.png")
    (tmp_path / "manifest.csv").write_text("file,label\n1.png,a\n")
    assert [picture.label for picture in read_labelled(tmp_path)] == ["a"]


@pytest.mark.parametrize("folder", ["", "./", "pack/"])
def test_a_tar_is_read_in_place(write_tar: WriteTar, tmp_path: Path, folder: str) -> None:
    images = {f"{at}.png": os.urandom(700 + at) for at in range(30)}
    manifest = "file,label,group,source,split\n" + "\n".join(f"{name},a,g,here,test" for name in images)
    path = write_tar(manifest, images, folder)
    found = read_labelled(path)
    assert [(picture.group, picture.source, picture.split) for picture in found] == [("g", "here", "test")] * 30
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda picture: picture.read(), found * 20))
    assert read == list(images.values()) * 20
    assert list(tmp_path.iterdir()) == [path]


def test_a_compressed_tar_cannot_be_read_in_place(tmp_path: Path) -> None:
    path = tmp_path / "pack.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(__file__, "images/1.png")
    with pytest.raises(DataError, match="uncompressed"):
        read_labelled(path)


def test_a_tar_cut_short_is_an_error_or_names_what_is_missing(write_tar: WriteTar) -> None:
    images = {f"{at}.png": os.urandom(3000) for at in range(5)}
    path = write_tar("file,label\n" + "\n".join(f"{name},a" for name in images), images)
    content = path.read_bytes()
    # Within a picture's content, and within a header.
    for size in (9000, 5700):
        path.write_bytes(content[:size])
        with pytest.raises(DataError):
            read_labelled(path)


@pytest.mark.parametrize(
    ("manifest", "complaint"),
    [
        ("name,label\n1.png,a\n", "columns are"),
        ("file;label\n1.png;a\n", "columns are"),
        ("", "columns are"),
        ("file,label\n", "no pictures"),
        ("file,label\n1.png\n", "line 2"),
        ("file,label\n1.png,a,b\n", "line 2"),
        ("file,label\n1.png,\n", "line 2 has no file or no label"),
        ("file,label\n1.png,a\n1.png,b\n", "named twice: 1.png"),
        ("file,label\n1.png,a\n2.png,b\n", "1 files are not there: 2.png"),
        ('file,label\n"1.png,a\n', "no CSV"),
    ],
)
def test_a_wrong_manifest_says_what_is_wrong(tmp_path: Path, manifest: str, complaint: str) -> None:
    touch(tmp_path, "1.png")
    path = tmp_path / "labels.csv"
    path.write_text(manifest)
    with pytest.raises(DataError, match=complaint) as caught:
        read_labelled(path)
    assert str(path) in str(caught.value)


def test_latin_letters_in_a_csv_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes("file,label\nfür.png,a\n".encode("latin-1"))
    with pytest.raises(DataError, match="UTF-8"):
        read_labelled(path)


def test_what_is_no_set(tmp_path: Path) -> None:
    touch(tmp_path, "picture.png")
    for path, complaint in ((tmp_path / "none", "no such"), (tmp_path / "picture.png", "no set"), (tmp_path, "no pictures")):
        with pytest.raises(DataError, match=complaint):
            read_labelled(path)


def test_a_picture_that_is_gone_is_a_source_error(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png")
    (found,) = read_labelled(tmp_path)
    (tmp_path / "a/1.png").unlink()
    with pytest.raises(SourceNotFoundError, match=r"a/1\.png"):
        found.read()


def test_the_split_is_test_where_there_is_one_else_all(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.png", "test/a/1.png")
    found = read_labelled(tmp_path)
    assert [picture.split for picture in in_split(found)] == ["test"]
    assert [picture.split for picture in in_split(found, "train")] == ["train"]
    assert len(in_split(found, "all")) == 2
    assert len(in_split([picture for picture in found if picture.split == "train"])) == 1
    with pytest.raises(MedsdkError, match="splits are: test, train"):
        in_split(found, "val")


def test_labels_by_id_by_name_and_by_map(tmp_path: Path) -> None:
    touch(tmp_path, "PARASITIZED/1.png", "uninfected cell/1.png", "1/1.png", "unsure/1.png")
    found = read_labelled(tmp_path)
    mapping = parse_label_map(["1=parasitized", "unsure="])
    assert {picture.label: truth for picture, truth in with_truth(found, LABELS, mapping)} == {
        "1": 0,
        "PARASITIZED": 0,
        "uninfected cell": 1,
    }


def test_a_strange_label_is_never_guessed(tmp_path: Path) -> None:
    touch(tmp_path, "0/1.png", "1/1.png")
    found = read_labelled(tmp_path)
    with pytest.raises(MedsdkError, match="0, 1: not a label") as caught:
        with_truth(found, LABELS)
    assert "--label-map 0=parasitized" in str(caught.value)
    with pytest.raises(MedsdkError, match="sick: not a label"):
        with_truth(found, LABELS, {"0": "uninfected", "1": "sick"})


def test_an_id_wins_over_another_labels_name(tmp_path: Path) -> None:
    touch(tmp_path, "b/1.png")
    labels = (Label("a", "B", True), Label("b", "A", False))
    assert with_truth(read_labelled(tmp_path), labels)[0][1] == 1


@pytest.mark.parametrize("wrong", [["parasitized"], ["=parasitized"], ["1=a", "1=b"]])
def test_a_map_that_is_none(wrong: list[str]) -> None:
    with pytest.raises(MedsdkError, match="map"):
        parse_label_map(wrong)


def test_one_unreadable_picture_of_a_hundred_is_borne() -> None:
    check_unreadable("set", ["a"], 100)
    with pytest.raises(DataError, match="2 of 100 pictures cannot be read: a, b"):
        check_unreadable("set", ["a", "b"], 100)
