"""The export of a dataset: images once, and labels that each run writes anew."""

import json
import os
import random
import shutil
import sys
from pathlib import Path
from typing import Any, Dict

import pytest
from child_transfers import ChildTransfers
from dataset_images import PetDataset, all_files, image_names, rows_by_id

from viam_sync.app.data_client import DataClient
from viam_sync.errors import FailedPreconditionError, NotFoundError, PermissionDeniedError
from viam_sync.proto.app import dataset as dataset_pb
from viam_sync.proto.app.data import BinaryMetadata
from viam_sync.sandbox import Sandbox
from viam_sync.transfer.export.manifest import Manifest
from viam_sync.transfer.labels.image_layout import ImageLayout
from viam_sync.utils import create_filter

KILLS = int(os.environ.get("VIAM_SYNC_KILLS", "20")) // 5


@pytest.fixture
def pets(sandbox: Sandbox, data: DataClient) -> PetDataset:
    return PetDataset(sandbox, data)


def test_images_and_metadata_stand_side_by_side_and_labels_at_the_top(
    pets: PetDataset, data: DataClient, tmp_path: Path
) -> None:
    cat, dog = pets.add("cat.png"), pets.add("dog.png", tags=[])
    data.add_bounding_box_to_image_by_id(cat, "face", 0, 0.25, 0.5, 1)
    result = pets.export(tmp_path)
    assert (result.complete, len(result.images.exported), result.classes, result.left_out) == (True, 2, ["face"], [])
    assert sorted(all_files(tmp_path)) == [
        "dataset.jsonl",
        "images/pets_cat.png",
        "images/pets_dog.png",
        "manifest.jsonl",
        "metadata/pets_cat.json",
        "metadata/pets_dog.json",
    ]
    rows = rows_by_id(tmp_path)
    assert rows[cat]["classification_annotations"] == [{"annotation_label": "pet"}]
    (box,) = rows[cat]["bounding_box_annotations"]
    assert [box[f"{edge}_normalized"] for edge in ("x_min", "y_min", "x_max", "y_max")] == [0, 0.25, 0.5, 1]
    # An image without labels stays, and the tag that the service gives to it is none.
    assert rows[dog]["classification_annotations"] == rows[dog]["bounding_box_annotations"] == []


def test_a_second_run_fetches_nothing_and_a_new_folder_gets_the_same_bytes(pets: PetDataset, tmp_path: Path) -> None:
    for number in range(12):
        pets.add(f"cat-{number}.png")
    first, split = tmp_path / "first", (0.5, 0.25, 0.25)
    assert pets.export(first, split=split).complete
    before = all_files(first)
    result = pets.export(first, split=split)
    assert (len(result.images.already_there), result.images.exported) == (12, [])
    assert all_files(first) == before
    assert pets.export(tmp_path / "second", split=split, workers=1).complete
    second = all_files(tmp_path / "second")
    assert {path: second[path] for path in before if path != "manifest.jsonl"} == {
        path: contents for path, contents in before.items() if path != "manifest.jsonl"
    }


def test_each_image_is_in_one_part_of_a_split_and_named_there(pets: PetDataset, tmp_path: Path) -> None:
    # A part has a file if there is an image in it: of 100, the part of a fifth has none once in 5e9 runs.
    ids = {pets.add(f"cat-{number}.png") for number in range(100)}
    assert pets.export(tmp_path, split=(0.5, 0.3, 0.2)).complete
    parts = {part: rows_by_id(tmp_path, f"dataset_{part}.jsonl") for part in ("train", "val", "test")}
    assert sorted(id for rows in parts.values() for id in rows) == sorted(ids)
    for part, rows in parts.items():
        assert all(row["image_path"].startswith(f"images/{part}/") for row in rows.values())
        assert len([name for name in image_names(tmp_path) if name.startswith(f"{part}/")]) == len(rows)


def test_another_dataset_or_split_in_the_folder_is_refused(
    pets: PetDataset, sandbox: Sandbox, data: DataClient, tmp_path: Path
) -> None:
    pets.add()
    assert pets.export(tmp_path, split=(0.8, 0.2)).complete
    before = all_files(tmp_path)
    with pytest.raises(
        ValueError, match=rf"^dataset_id is .*, but .* has the dataset '{pets.id}'; name another folder"
    ):
        data.export_dataset(sandbox.dataset_id, tmp_path, split=(0.8, 0.2))
    for split in (None, (0.8, 0.1, 0.1)):
        with pytest.raises(
            ValueError, match=r"^split is .*, but that of the images in .* is \(0\.8, 0\.2, 0\); give the"
        ):
            pets.export(tmp_path, split=split)
    assert all_files(tmp_path) == before


@pytest.mark.parametrize("kind", ["file", "link", "export", "state"])
def test_a_folder_that_no_export_of_a_dataset_has_made_is_refused_and_left_alone(
    pets: PetDataset, data: DataClient, tmp_path: Path, kind: str
) -> None:
    pets.add()
    if kind == "file":
        (tmp_path / "notes.txt").write_text("mine")
    elif kind == "link":
        (tmp_path / "notes.txt").symlink_to("nowhere")
    elif kind == "state":
        (tmp_path / ".viam-labels").mkdir()
        (tmp_path / ".viam-labels" / "dataset.json").write_text("[]")
    else:
        assert data.export_binary_data(create_filter(dataset_id=pets.id), tmp_path).complete
    before = all_files(tmp_path)
    with pytest.raises(FileExistsError, match=r"was not written by an export of a dataset|has been changed"):
        pets.export(tmp_path)
    assert all_files(tmp_path) == before


def test_a_path_of_a_file_is_no_folder(pets: PetDataset, tmp_path: Path) -> None:
    (tmp_path / "pets").write_text("mine")
    with pytest.raises(NotADirectoryError, match=r"^folder is .*pets', a file"):
        pets.export(tmp_path / "pets")


def test_hidden_files_and_those_that_come_later_are_neither_touched_nor_in_the_way(
    pets: PetDataset, tmp_path: Path
) -> None:
    (tmp_path / ".gitignore").write_text("images/")
    # An earlier run was killed before it knew more.
    (tmp_path / "manifest.jsonl").touch()
    pets.add("cat.png")
    assert pets.export(tmp_path).complete
    mine = ["images/mine.png", "images/pets_dog.png", "metadata/pets_cow.json", "train.py", "images/runs/best.pt"]
    for path in mine:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("mine")
    pets.add("dog.png")
    pets.add("cow.png")
    assert pets.export(tmp_path).complete
    files = all_files(tmp_path)
    assert [files[path] for path in mine] == [b"mine"] * len(mine)
    assert {"images/pets_dog-2.png", "images/pets_cow-2.png"} < set(files)
    assert len(rows_by_id(tmp_path)) == 3


def test_a_label_file_of_somebody_else_is_refused(pets: PetDataset, tmp_path: Path) -> None:
    pets.add()
    assert pets.export(tmp_path).complete
    (tmp_path / "dataset.jsonl").write_text("mine")
    with pytest.raises(FileExistsError, match=r"dataset\.jsonl' has been changed") as raised:
        pets.export(tmp_path)
    assert (tmp_path / "dataset.jsonl").read_text() == "mine"
    assert len(raised.value.result.already_there) == 1  # type: ignore[attr-defined]


def test_labels_that_change_are_there_after_the_next_run_which_fetches_nothing(
    pets: PetDataset, sandbox: Sandbox, data: DataClient, tmp_path: Path
) -> None:
    cat, dog = pets.add("cat.png"), pets.add("dog.png")
    assert pets.export(tmp_path).complete
    data.add_tags_to_binary_data_by_ids(["asleep"], [cat])
    data.add_bounding_box_to_image_by_id(dog, "nose", 0.1, 0.1, 0.2, 0.2)
    fault = sandbox.faults.fail("BinaryDataByIDs", "INTERNAL", times=None)
    result = pets.export(tmp_path)
    assert (result.complete, fault.met, result.classes) == (True, 0, ["nose"])
    rows = rows_by_id(tmp_path)
    assert {tag["annotation_label"] for tag in rows[cat]["classification_annotations"]} == {"pet", "asleep"}
    assert [box["annotation_label"] for box in rows[dog]["bounding_box_annotations"]] == ["nose"]


def test_an_image_that_left_the_dataset_leaves_the_folder_with_its_labels(
    pets: PetDataset, data: DataClient, tmp_path: Path
) -> None:
    ids = [pets.add(f"cat-{number}.png") for number in range(4)]
    assert pets.export(tmp_path).complete
    data.remove_binary_data_from_dataset_by_ids(ids[:2], pets.id)
    (tmp_path / "images" / "pets_cat-1.png").write_bytes(b"painted over")
    result = pets.export(tmp_path)
    assert sorted((gone.id, gone.removed) for gone in result.images.gone) == sorted([(ids[0], True), (ids[1], False)])
    assert image_names(tmp_path) == [f"pets_cat-{number}.png" for number in (1, 2, 3)]
    assert set(rows_by_id(tmp_path)) == set(ids[2:])
    data.delete_binary_data_by_ids(ids[2:])
    assert pets.export(tmp_path).complete
    assert (image_names(tmp_path), rows_by_id(tmp_path)) == (["pets_cat-1.png"], {})


def test_another_format_is_added_and_no_image_is_fetched_again(
    pets: PetDataset, sandbox: Sandbox, data: DataClient, tmp_path: Path
) -> None:
    cat, dog = pets.add("cat.png"), pets.add("dog.png")
    data.add_bounding_box_to_image_by_id(cat, "nose", 0, 0, 0.5, 1)
    assert pets.export(tmp_path).complete
    before = all_files(tmp_path)
    fault = sandbox.faults.fail("BinaryDataByIDs", "INTERNAL", times=None)
    result = pets.export(tmp_path, format="yolo")
    assert (result.complete, fault.met, len(result.images.already_there)) == (True, 0, 2)
    added = {path for path in all_files(tmp_path) if path not in before}
    assert added == {"data.yaml", "labels/pets_cat.txt", "labels/pets_dog.txt"}
    assert (tmp_path / "labels" / "pets_cat.txt").read_text() == "0 0.25 0.5 0.5 1\n"
    # Each format goes on by itself, and a run of one leaves the labels of the other alone.
    data.remove_binary_data_from_dataset_by_ids([dog], pets.id)
    assert pets.export(tmp_path, format="yolo").complete
    assert not (tmp_path / "labels" / "pets_dog.txt").exists()
    assert all_files(tmp_path)["dataset.jsonl"] == before["dataset.jsonl"]
    assert pets.export(tmp_path).complete
    assert set(rows_by_id(tmp_path)) == {cat}


def test_files_that_are_no_images_are_named_and_not_fetched(pets: PetDataset, tmp_path: Path) -> None:
    cat = pets.add("cat.png")
    others = {
        pets.add("walk.mp4", contents=b"video"): "it is no image that tools read, but 'video/mp4'",
        pets.add("notes.txt", contents=b"text"): "it is no image that tools read, but '.txt'",
        pets.add("cat.png.gz", contents=b"gzip"): "it is gzipped, and tools unzip no images",
        pets.add("depth.dep", contents=b"depth"): "it is no image that tools read, but 'image/vnd.viam.dep'",
        pets.add("plain", contents=b"?"): "nothing tells that it is an image",
    }
    done = []
    result = pets.export(tmp_path, progress=lambda *told: done.append(told))
    assert {file.id: file.reason for file in result.left_out} == others
    assert {file.name for file in result.left_out} >= {"pets/walk.mp4", "pets/plain"}
    assert result.complete
    assert ([file.id for file in result.images.files], image_names(tmp_path)) == ([cat], ["pets_cat.png"])
    assert done[-1] == (6, 6, "files")


def test_images_whose_names_differ_in_ending_case_or_folder_have_labels_of_their_own(
    pets: PetDataset, tmp_path: Path
) -> None:
    for name in ("a.png", "A.PNG", "a.jpg", "b/a.png", "b_a.png"):
        pets.add(name)
    pets.add("photo", mime_type="image/webp")
    pets.add("b.jpeg", file_extension=".jpeg")
    for _ in range(2):
        assert pets.export(tmp_path).complete
        stems = [name.rpartition(".")[0].lower() for name in image_names(tmp_path)]
        assert len(set(stems)) == len(stems) == len(rows_by_id(tmp_path)) == 7
        assert "pets_photo.webp" in image_names(tmp_path)


@pytest.mark.parametrize("name", [".cat.png", "./.cat.png", "..png"])
def test_no_image_is_hidden(name: str) -> None:
    assert ImageLayout(None).name(BinaryMetadata(file_name=name))[0] in ("_.cat.png", "_..png")


def test_an_image_that_cannot_be_fetched_is_labeled_by_the_run_that_does(
    pets: PetDataset, sandbox: Sandbox, tmp_path: Path
) -> None:
    ids = [pets.add(f"cat-{number}.png") for number in range(3)]
    sandbox.faults.fail("BinaryDataByIDs", "INTERNAL", times=None)
    result = pets.export(tmp_path)
    assert (result.complete, len(result.images.failed), rows_by_id(tmp_path)) == (False, 3, {})
    sandbox.faults.clear()
    assert pets.export(tmp_path).complete
    assert set(rows_by_id(tmp_path)) == set(ids)


def test_an_image_that_cannot_be_read_is_named_and_not_labeled(pets: PetDataset, tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    whole, broken = pets.add("cat.png"), pets.add("dog.png", contents=b"no PNG")
    result = pets.export(tmp_path, format="coco")
    assert (result.complete, len(result.images.exported)) == (True, 2)
    ((id, name, reason),) = result.left_out
    assert (id, name) == (broken, "images/pets_dog.png")
    assert reason.startswith("its size cannot be read: ")
    (image,) = json.loads((tmp_path / "annotations" / "instances.json").read_text(encoding="utf-8"))["images"]
    assert (image["file_name"], image["width"], image["height"]) == ("pets_cat.png", 1, 2)
    # Formats that tell no sizes do not look.
    assert pets.export(tmp_path).left_out == []
    assert set(rows_by_id(tmp_path)) == {whole, broken}


def test_without_pillow_only_formats_that_tell_sizes_are_refused_and_before_anything_is_sent(
    pets: PetDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match="pip install pillow"):
        pets.export(tmp_path / "pets", format="coco")
    assert not list(tmp_path.iterdir())
    for format in ("viam", "yolo"):
        assert pets.export(tmp_path / "pets", format=format).complete


def test_metadata_that_somebody_has_changed_is_named_and_not_believed(pets: PetDataset, tmp_path: Path) -> None:
    cat, dog = pets.add("cat.png"), pets.add("dog.png")
    assert pets.export(tmp_path).complete
    path = tmp_path / "metadata" / "pets_cat.json"
    for changed in ({}, [], {"binaryDataId": cat, "annotations": 7}):
        path.write_text(json.dumps(changed))
        result = pets.export(tmp_path)
        assert [(file.id, file.name) for file in result.left_out] == [(cat, "images/pets_cat.png")]
        assert "'metadata/pets_cat.json' has been changed; remove it" in result.left_out[0].reason
        assert set(rows_by_id(tmp_path)) == {dog}
    path.unlink()
    assert pets.export(tmp_path).left_out == []
    assert set(rows_by_id(tmp_path)) == {cat, dog}


def test_an_export_of_files_into_the_folder_makes_the_next_run_fetch_nothing(
    pets: PetDataset, sandbox: Sandbox, data: DataClient, tmp_path: Path
) -> None:
    cat, dog = pets.add("cat.png"), pets.add("dog.png")
    assert pets.export(tmp_path).complete
    assert data.export_binary_data(create_filter(dataset_id=pets.id), tmp_path, remove_gone=True).complete
    data.add_tags_to_binary_data_by_ids(["asleep"], [cat])
    fault = sandbox.faults.fail("BinaryDataByIDs", "INTERNAL", times=None)
    result = pets.export(tmp_path)
    assert (result.complete, fault.met, set(rows_by_id(tmp_path))) == (True, 0, {cat, dog})


@pytest.mark.parametrize("given", ["pets", "0" * 24], ids=["name", "ID"])
def test_an_unknown_dataset_is_an_error_that_tells_names_from_ids(
    pets: PetDataset, data: DataClient, tmp_path: Path, given: str
) -> None:
    with pytest.raises(
        NotFoundError, match=rf"dataset_id is '{given}', .*It is no name: list_datasets_by_organization"
    ):
        data.export_dataset(given, tmp_path / "pets")
    assert not list(tmp_path.iterdir())


def test_a_dataset_of_sequences_is_refused(sandbox: Sandbox, data: DataClient, tmp_path: Path) -> None:
    kind = dataset_pb.DatasetType.DATASET_TYPE_SEQUENCE_DATA
    id = data.create_dataset("walks", sandbox.organization_id, kind)
    with pytest.raises(FailedPreconditionError, match="dataset_id is that of 'walks', a dataset of sequences"):
        data.export_dataset(id, tmp_path / "walks")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("dataset_id", "", ValueError),
        ("dataset_id", 7, TypeError),
        ("folder", 7, TypeError),
        ("folder", "s3://bucket/pets", ValueError),
        ("format", "pascal", ValueError),
        ("split", 0.8, TypeError),
        ("split", (0.8,), ValueError),
        ("split", (0.8, 0.3), ValueError),
        ("split", (1.5, -0.5), ValueError),
        ("classes", "cat", TypeError),
        ("classes", ["cat", "dog", "cat"], ValueError),
        ("classes", ["cat", " "], ValueError),
        ("workers", 0, ValueError),
        ("timeout", "1", TypeError),
    ],
)
def test_a_bad_argument_is_named_before_anything_is_sent(
    pets: PetDataset, sandbox: Sandbox, data: DataClient, tmp_path: Path, name: str, value: Any, kind: type
) -> None:
    fault = sandbox.faults.fail("ListDatasetsByIDs", "INTERNAL", times=None)
    arguments: Dict[str, Any] = {"dataset_id": pets.id, "folder": tmp_path / "pets", name: value}
    with pytest.raises(kind, match=rf"^{name}"):
        data.export_dataset(**arguments)
    assert (fault.met, list(tmp_path.iterdir())) == (0, [])


def test_two_runs_at_once_are_kept_apart(pets: PetDataset, tmp_path: Path) -> None:
    pets.add()
    assert pets.export(tmp_path).complete
    with Manifest(tmp_path), pytest.raises(BlockingIOError, match=r"another export into this folder is running"):
        pets.export(tmp_path)


def test_a_caller_who_may_not_look_loses_nothing(pets: PetDataset, sandbox: Sandbox, tmp_path: Path) -> None:
    pets.add()
    assert pets.export(tmp_path).complete
    before = all_files(tmp_path)
    sandbox.faults.fail("ListDatasetsByIDs", "PERMISSION_DENIED", times=None)
    with pytest.raises(PermissionDeniedError):
        pets.export(tmp_path)
    assert all_files(tmp_path) == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_a_run_that_is_killed_at_any_moment_is_completed_by_the_next(
    pets: PetDataset, sandbox: Sandbox, data: DataClient, tmp_path: Path
) -> None:
    ids = [pets.add(f"cat-{number}.png") for number in range(24)]
    options: Dict[str, Any] = {"split": [0.5, 0.25, 0.25], "format": "yolo"}
    assert pets.export(tmp_path / "before", **options).complete
    data.remove_binary_data_from_dataset_by_ids(ids[:8], pets.id)
    for id in ids[8:16]:
        data.add_bounding_box_to_image_by_id(id, "nose", 0, 0, 0.5, 1)
    ids[:8] = [pets.add(f"dog-{number}.png") for number in range(8)]
    source = random.Random()
    expected: Dict[str, bytes] = {}
    killed = 0
    duration = 60.0
    with ChildTransfers() as children:
        for turn in range(KILLS + 1):
            folder = tmp_path / str(turn)
            if turn != 1:
                shutil.copytree(tmp_path / "before", folder)
            arguments = {"dataset_id": pets.id, "folder": str(folder), **options}
            # The first one, which has its time, shows how long it takes.
            limit = source.uniform(0, duration) if turn else duration
            was_killed, seconds = children.run(sandbox, "export_dataset", arguments, limit)
            duration, killed = duration if was_killed else min(duration, seconds * 0.8), killed + was_killed
            assert pets.export(folder, **options).complete
            files = {path: contents for path, contents in all_files(folder).items() if path != "manifest.jsonl"}
            expected = expected or files
            assert files == expected
    assert killed
    assert sum(path.startswith("labels/") for path in expected) == len(ids)
