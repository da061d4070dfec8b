import json
import os
import random
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple

import pytest
from child_transfers import ChildTransfers

from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import (
    AmbiguousResultError,
    FailedPreconditionError,
    InternalError,
    InvalidArgumentError,
    LabelsError,
    NotFoundError,
)
from viam_sync.proto.app.data import BinaryMetadata
from viam_sync.proto.app.dataset import DatasetType
from viam_sync.sandbox import Sandbox
from viam_sync.transfer.labels.box_matching import missing_boxes
from viam_sync.transfer.labels.import_results import DatasetImportResult
from viam_sync.transfer.labels.labeled_image import Box
from viam_sync.utils import create_filter

KILLS = int(os.environ.get("VIAM_SYNC_KILLS", "3"))
ADD_BOX = "AddBoundingBoxToImageByID"
PNG = b"\x89PNG\r\n\x1a\n"

Boxes = Sequence[Tuple[str, float, float, float, float]]


class Pictures:
    """A folder of pictures with labels in Viam's format."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: Dict[str, Dict[str, Any]] = {}

    def add(self, path: str, boxes: Boxes = (), tags: Sequence[str] = (), contents: bytes = b"") -> None:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.write_bytes(contents or PNG + path.encode())
        keys = ("annotation_label", *(f"{name}_normalized" for name in ("x_min", "y_min", "x_max", "y_max")))
        self.rows[path] = {
            "image_path": path,
            "classification_annotations": [{"annotation_label": tag} for tag in tags],
            "bounding_box_annotations": [dict(zip(keys, box)) for box in boxes],
        }
        self.write()

    def write(self, *lines: str) -> None:
        text = "".join(f"{line}\n" for line in [*map(json.dumps, self.rows.values()), *lines])
        (self.folder / "dataset.jsonl").write_text(text, encoding="utf-8")


CAT, DOG = ("cat", 0.0, 0.25, 0.5, 1.0), ("dog", 0.1, 0.2, 0.30000000000000004, 0.7)


@pytest.fixture
def data(client: ViamClient) -> DataClient:
    return client.data_client


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    """Three pictures: with boxes, with a tag, and with both."""
    made = Pictures(tmp_path / "pets")
    made.add("images/cats.png", [CAT, DOG, CAT])
    made.add("images/calm.jpg", tags=["calm"])
    made.add("images/both.png", [DOG], ["calm", "late"])
    return made


@pytest.fixture
def arguments(sandbox: Sandbox, pictures: Pictures) -> Dict[str, Any]:
    return {"folder": str(pictures.folder), "format": "viam", "name": "pets", "part_id": sandbox.robot_part_id}


def stored(data: DataClient, dataset_id: str) -> Dict[str, Tuple[List[Tuple[Any, ...]], List[str]]]:
    """Return the boxes and tags of the images of a dataset by their names, of which none may be there twice."""
    with data.iter_binary_data(create_filter(dataset_id=dataset_id), include_binary_data=False) as files:
        found = [(file.metadata.file_name + file.metadata.file_ext, labels_of(file.metadata)) for file in files]
    assert len(dict(found)) == len(found)
    return dict(found)


def labels_of(metadata: BinaryMetadata) -> Tuple[List[Tuple[Any, ...]], List[str]]:
    boxes = [
        (box.label, box.x_min_normalized, box.y_min_normalized, box.x_max_normalized, box.y_max_normalized)
        for box in metadata.annotations.bboxes
    ]
    return boxes, [tag for tag in metadata.capture_metadata.tags if not tag.startswith("VIAM_DATASET_")]


ALL = {"cats.png": ([CAT, DOG, CAT], []), "calm.jpg": ([], ["calm"]), "both.png": ([DOG], ["calm", "late"])}


def test_all_images_are_in_the_dataset_with_their_labels(
    data: DataClient, sandbox: Sandbox, arguments: Dict[str, Any]
) -> None:
    result = data.import_dataset(**arguments)
    (dataset,) = data.list_dataset_by_ids([result.dataset_id])
    assert (dataset.name, dataset.organization_id) == ("pets", sandbox.organization_id)
    assert stored(data, result.dataset_id) == ALL
    assert [image.path.name for image in result.images] == ["cats.png", "calm.jpg", "both.png"]
    assert [image.boxes_added for image in result.images] == [3, 0, 1]
    files = data.binary_data_by_ids([image.id for image in result.images if image.id])
    assert [file.binary for file in files] == [image.path.read_bytes() for image in result.images]
    assert repr(result) == (
        f"DatasetImportResult({result.dataset_id!r}, 3 images: 3 uploaded, 0 already there, 0 failed; 4 boxes added,"
        " complete)"
    )


def test_a_second_run_sends_nothing(data: DataClient, sandbox: Sandbox, arguments: Dict[str, Any]) -> None:
    first = data.import_dataset(**arguments)
    writes = [
        sandbox.faults.fail(rpc, "PERMISSION_DENIED", times=None)
        for rpc in ("CreateDataset", "FileUpload", ADD_BOX, "AddTagsToBinaryDataByIDs", "AddBinaryDataToDatasetByIDs")
    ]
    second = data.import_dataset(**arguments)
    assert second.complete
    assert [write.met for write in writes] == [0] * 5
    assert second.dataset_id == first.dataset_id
    assert [image.id for image in second.already_there] == [image.id for image in first.uploaded]


def test_new_images_and_labels_are_added_and_nothing_is_removed(
    data: DataClient, pictures: Pictures, arguments: Dict[str, Any]
) -> None:
    data.import_dataset(**arguments)
    pictures.add("images/calm.jpg", [CAT], ["brown"])
    pictures.add("images/new.png", [DOG])
    result = data.import_dataset(**arguments)
    assert [image.path.name for image in result.uploaded] == ["new.png"]
    assert result.boxes_added == 2
    assert stored(data, result.dataset_id) == {
        **ALL,
        "calm.jpg": ([CAT], ["calm", "brown"]),
        "new.png": ([DOG], []),
    }


def test_all_that_is_wrong_is_named_and_nothing_is_sent(
    data: DataClient, sandbox: Sandbox, pictures: Pictures, arguments: Dict[str, Any]
) -> None:
    pictures.add("images/flat.png", [("cat", 0.5, 0.5, 0.5, 0.75), ("", 0.0, 0.0, 1.0, 1.0)])
    pictures.add("notes.txt")
    pictures.write("{", '{"image_path": "images/gone.png"}')
    calls = sandbox.faults.fail("all", "UNAVAILABLE", times=None)
    with pytest.raises(LabelsError) as raised:
        data.import_dataset(**arguments)
    assert calls.met == 0
    assert [(problem.path.as_posix(), problem.line) for problem in raised.value.problems] == [
        ("dataset.jsonl", 4),
        ("dataset.jsonl", 4),
        ("notes.txt", None),
        ("dataset.jsonl", 6),
        ("dataset.jsonl", 7),
    ]
    text = str(raised.value)
    assert text.startswith("Nothing was sent, as the labels have 5 problems:\ndataset.jsonl:4: ")
    assert "notes.txt: this is no image; one ends in .avif, .bmp, .dng, .gif, " in text
    assert isinstance(raised.value, ValueError)
    sandbox.faults.clear()
    assert len(data.list_datasets_by_organization_id(sandbox.organization_id)) == 1


def test_the_text_of_many_problems_is_short(data: DataClient, pictures: Pictures, arguments: Dict[str, Any]) -> None:
    pictures.write(*["{"] * 30)
    with pytest.raises(LabelsError) as raised:
        data.import_dataset(**arguments)
    assert len(raised.value.problems) == 30
    assert str(raised.value).splitlines()[-1] == "and 20 more, in the error's problems"


def test_half_a_character_is_named_before_anything_is_sent(
    data: DataClient, pictures: Pictures, arguments: Dict[str, Any]
) -> None:
    pictures.add("images/half.png", [("\ud83d", 0.0, 0.0, 1.0, 1.0)])
    with pytest.raises(LabelsError, match=r"dataset\.jsonl:4: .*, in which there is half a character"):
        data.import_dataset(**arguments)


def test_a_folder_without_images_is_named(data: DataClient, tmp_path: Path, arguments: Dict[str, Any]) -> None:
    (tmp_path / "dataset.jsonl").touch()
    with pytest.raises(LabelsError, match="there are no images with labels of the format 'viam'"):
        data.import_dataset(**{**arguments, "folder": tmp_path})


@pytest.mark.parametrize("after", [True, False])
def test_a_box_whose_call_was_lost_is_there_once(
    data: DataClient, sandbox: Sandbox, arguments: Dict[str, Any], after: bool
) -> None:
    fault = sandbox.faults.fail(ADD_BOX, "UNAVAILABLE", after=after, times=2)
    result = data.import_dataset(**arguments)
    assert fault.met == 2
    assert result.complete
    assert result.boxes_added == 4
    assert stored(data, result.dataset_id) == ALL


def test_boxes_that_are_lost_again_and_again_are_added_by_the_next_run(
    data: DataClient, sandbox: Sandbox, arguments: Dict[str, Any]
) -> None:
    sandbox.faults.fail(ADD_BOX, "UNAVAILABLE", times=None)
    first = data.import_dataset(**arguments)
    assert [type(image.error) for image in first.images] == [AmbiguousResultError, type(None), AmbiguousResultError]
    assert [image.path.name for image in first.failed] == ["cats.png", "both.png"]
    assert not first.complete
    sandbox.faults.clear()
    second = data.import_dataset(**arguments)
    assert second.complete
    assert stored(data, second.dataset_id) == ALL


@pytest.mark.parametrize("after", [True, False])
def test_a_dataset_whose_making_was_lost_is_looked_up(
    data: DataClient, sandbox: Sandbox, arguments: Dict[str, Any], after: bool
) -> None:
    sandbox.faults.fail("CreateDataset", "UNAVAILABLE", after=after)
    if not after:
        with pytest.raises(AmbiguousResultError):
            data.import_dataset(**arguments)
    assert data.import_dataset(**arguments).complete
    names = [dataset.name for dataset in data.list_datasets_by_organization_id(sandbox.organization_id)]
    assert sorted(names) == ["pets", "tomatoes"]


def test_an_image_that_fails_does_not_stop_the_others(
    data: DataClient, sandbox: Sandbox, arguments: Dict[str, Any]
) -> None:
    sandbox.faults.fail("FileUpload", "INVALID_ARGUMENT")
    first = data.import_dataset(**arguments, workers=1)
    assert [type(image.error) for image in first.images] == [InvalidArgumentError, type(None), type(None)]
    assert repr(first).endswith("3 images: 2 uploaded, 0 already there, 1 failed; 1 boxes added, not complete)")
    assert first.images[0].id is None
    assert [image.path.name for image in data.import_dataset(**arguments).uploaded] == ["cats.png"]
    assert stored(data, first.dataset_id) == ALL


def test_a_look_that_fails_is_the_error_of_its_images(
    data: DataClient, sandbox: Sandbox, arguments: Dict[str, Any]
) -> None:
    sandbox.faults.fail("BinaryDataByIDs", "INTERNAL")
    first = data.import_dataset(**arguments)
    assert [type(image.error) for image in first.images] == [InternalError] * 3
    assert data.import_dataset(**arguments).complete
    assert stored(data, first.dataset_id) == ALL


def test_an_upload_whose_answer_was_lost_is_there_once(
    data: DataClient, sandbox: Sandbox, arguments: Dict[str, Any]
) -> None:
    sandbox.faults.fail("FileUpload", "UNAVAILABLE", after=True)
    first = data.import_dataset(**arguments)
    assert [type(image.error) for image in first.failed] == [AmbiguousResultError]
    second = data.import_dataset(**arguments)
    assert (second.complete, second.uploaded) == (True, [])
    assert stored(data, first.dataset_id) == ALL


def test_an_image_that_takes_no_box_yet_gets_it_from_the_next_run(
    data: DataClient, sandbox: Sandbox, arguments: Dict[str, Any]
) -> None:
    sandbox.faults.fail(ADD_BOX, "NOT_FOUND")
    first = data.import_dataset(**arguments)
    assert [type(image.error) for image in first.failed] == [NotFoundError]
    assert data.import_dataset(**arguments).complete
    assert stored(data, first.dataset_id) == ALL


def test_an_image_that_was_deleted_is_uploaded_again(data: DataClient, arguments: Dict[str, Any]) -> None:
    first = data.import_dataset(**arguments)
    assert first.images[0].id is not None
    data.delete_binary_data_by_ids([first.images[0].id])
    second = data.import_dataset(**arguments)
    assert [image.path.name for image in second.uploaded] == ["cats.png"]
    assert second.images[0].id != first.images[0].id
    assert data.import_dataset(**arguments).uploaded == []
    assert stored(data, first.dataset_id) == ALL


def test_a_second_dataset_has_the_images_that_are_there(data: DataClient, arguments: Dict[str, Any]) -> None:
    first = data.import_dataset(**arguments)
    second = data.import_dataset(**{**arguments, "name": "more pets"})
    assert second.uploaded == []
    assert second.dataset_id != first.dataset_id
    assert stored(data, second.dataset_id) == stored(data, first.dataset_id) == ALL


def test_the_images_of_another_part_are_its_own(
    data: DataClient, sandbox: Sandbox, client: ViamClient, arguments: Dict[str, Any]
) -> None:
    other = client.app_client.new_robot_part(sandbox.robot_id, "other")
    data.import_dataset(**arguments)
    result = data.import_dataset(**{**arguments, "part_id": other, "name": "others"})
    assert len(result.uploaded) == 3
    files, _, _ = data.binary_data_by_filter(create_filter(part_id=other), include_binary_data=False)
    assert len(files) == 3


def test_a_dataset_of_that_name_takes_the_images(data: DataClient, sandbox: Sandbox, arguments: Dict[str, Any]) -> None:
    result = data.import_dataset(**{**arguments, "name": "tomatoes"}, organization_id=sandbox.organization_id)
    assert result.dataset_id == sandbox.dataset_id
    assert data.binary_data_by_filter(create_filter(dataset_id=sandbox.dataset_id), count_only=True)[1] == 24 + 3


def test_images_of_the_same_contents_or_stem_are_two(
    data: DataClient, pictures: Pictures, arguments: Dict[str, Any]
) -> None:
    pictures.add("images/one.png", [CAT], contents=PNG)
    pictures.add("images/two.png", [DOG], contents=PNG)
    pictures.add("images/one.jpg", tags=["photo"], contents=PNG)
    result = data.import_dataset(**arguments)
    found = stored(data, result.dataset_id)
    assert {name: found[name] for name in ("one.png", "two.png", "one.jpg")} == {
        "one.png": ([CAT], []),
        "two.png": ([DOG], []),
        "one.jpg": ([], ["photo"]),
    }


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["images/train/cat.png", "images/val/cat.png"], ["train/cat.png", "val/cat.png"]),
        (["val2017/1.png", "val2017/2.png"], ["1.png", "2.png"]),
        (["pets/cats/1.png", "pets/dogs.tar.png"], ["cats/1.png", "dogs.tar.png"]),
        (["cats/1.png", "cat.png"], ["cat.png", "cats/1.png"]),
        (["cats/1.png"], ["1.png"]),
    ],
)
def test_names_are_paths_in_the_folder_of_all_images(
    data: DataClient, tmp_path: Path, arguments: Dict[str, Any], paths: List[str], names: List[str]
) -> None:
    pictures = Pictures(tmp_path / "other")
    for path in paths:
        pictures.add(path)
    result = data.import_dataset(**{**arguments, "folder": pictures.folder})
    assert sorted(stored(data, result.dataset_id)) == names


def test_another_import_of_the_folder_is_refused_until_the_labels_are_there(
    data: DataClient, sandbox: Sandbox, arguments: Dict[str, Any]
) -> None:
    refused: List[str] = []

    def interfere(done: int, total: Any, unit: str) -> None:
        with pytest.raises(BlockingIOError, match=r"another upload uses the journal .*; wait until it has ended"):
            data.import_dataset(**{**arguments, "name": "too early"})
        refused.append(unit)

    result = data.import_dataset(**arguments, progress=interfere)
    assert {"bytes", "images"} <= set(refused)
    assert stored(data, result.dataset_id) == ALL
    names = [dataset.name for dataset in data.list_datasets_by_organization_id(sandbox.organization_id)]
    assert sorted(names) == ["pets", "tomatoes"]


def test_boxes_that_the_labels_do_not_have_stay_and_are_counted(
    data: DataClient, pictures: Pictures, arguments: Dict[str, Any]
) -> None:
    data.import_dataset(**arguments)
    moved = ("cat", 0.5, 0.25, 0.75, 1.0)
    pictures.add("images/cats.png", [CAT, DOG, moved])
    result = data.import_dataset(**arguments)
    assert [(image.boxes_added, image.other_boxes) for image in result.images] == [(1, 1), (0, 0), (0, 0)]
    assert repr(result).endswith("; 1 boxes added, 1 others stay, complete)")
    assert stored(data, result.dataset_id) == {**ALL, "cats.png": ([CAT, DOG, CAT, moved], [])}
    pictures.add("images/cats.png")
    assert data.import_dataset(**arguments).other_boxes == 4


@pytest.mark.parametrize("name", ["scan.WEBP", "scan.tif", "captured"])
def test_an_image_of_any_kind_takes_boxes(
    data: DataClient, pictures: Pictures, arguments: Dict[str, Any], name: str
) -> None:
    pictures.add(f"images/{name}", [CAT], contents=PNG)
    result = data.import_dataset(**arguments)
    assert result.complete
    assert stored(data, result.dataset_id)[name] == ([CAT], [])


def test_progress_counts_bytes_and_then_images(data: DataClient, arguments: Dict[str, Any]) -> None:
    told: List[Tuple[int, Any, str]] = []
    result = data.import_dataset(**arguments, progress=lambda *step: told.append(step))
    total = sum(image.path.stat().st_size for image in result.images)
    units = [unit for _, _, unit in told]
    assert told[0] == (0, total, "bytes")
    assert told[-1] == (3, 3, "images")
    assert units == sorted(units)


@pytest.mark.parametrize(
    ("changed", "error", "text"),
    [
        ({"format": "pascal"}, ValueError, "format takes one of 'viam'"),
        ({"name": ""}, ValueError, "name is an empty string"),
        ({"part_id": ""}, ValueError, "part_id is an empty string"),
        ({"part_id": None}, TypeError, "part_id takes"),
        ({"organization_id": " "}, ValueError, "organization_id has white space"),
        ({"workers": 0}, ValueError, "workers takes an int from 1 to 64"),
        ({"ignore": "segmentation"}, TypeError, "ignore takes a list of strings"),
        ({"ignore": ["segmentation", ""]}, ValueError, r"ignore\[1\] is an empty string"),
        ({"timeout": "1"}, TypeError, "timeout takes a number of seconds"),
        ({"progress": 5}, TypeError, "progress takes True"),
        ({"folder": "absent"}, FileNotFoundError, "folder is 'absent', which is no folder"),
        ({"folder": __file__}, NotADirectoryError, "folder is .* which is no folder"),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_is_sent(
    data: DataClient, sandbox: Sandbox, arguments: Dict[str, Any], changed: Dict[str, Any], error: Any, text: str
) -> None:
    calls = sandbox.faults.fail("all", "UNAVAILABLE", times=None)
    with pytest.raises(error, match=text):
        data.import_dataset(**{**arguments, **changed})
    assert calls.met == 0


def test_a_part_that_nobody_knows_makes_no_dataset(
    data: DataClient, sandbox: Sandbox, arguments: Dict[str, Any]
) -> None:
    with pytest.raises(NotFoundError):
        data.import_dataset(**{**arguments, "part_id": "0d2f2f3e-0000-4000-8000-000000000000"})
    assert not Path(arguments["folder"], ".viam-labels").exists()
    assert len(data.list_datasets_by_organization_id(sandbox.organization_id)) == 1


def test_a_dataset_of_sequences_takes_no_images(data: DataClient, sandbox: Sandbox, arguments: Dict[str, Any]) -> None:
    data.create_dataset("pets", sandbox.organization_id, DatasetType.DATASET_TYPE_SEQUENCE_DATA)
    with pytest.raises(FailedPreconditionError, match="name is 'pets', the dataset of which is one of sequences"):
        data.import_dataset(**arguments)


def test_a_box_that_the_service_has_rounded_is_the_same() -> None:
    third = 1 / 3
    wanted = [Box("cat", 0, 0, third, 1), Box("cat", 0, 0, third, 1), Box("dog", 0, 0, third, 1)]
    assert missing_boxes(wanted, [Box("cat", 0, 0, round(third, 7), 1, 0.5)]) == wanted[1:]
    assert missing_boxes(wanted, [Box("cat", 0, 0, third + 0.001, 1)]) == wanted
    assert missing_boxes([], wanted) == []


@pytest.fixture(scope="module")
def children() -> Iterator[ChildTransfers]:
    with ChildTransfers() as running:
        yield running


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_an_import_that_is_killed_at_any_moment_goes_on_and_doubles_nothing(
    sandbox: Sandbox, client: ViamClient, children: ChildTransfers, tmp_path: Path
) -> None:
    data, source = client.data_client, random.Random()
    killed = 0
    duration = 0.0
    for turn in range(KILLS + 1):
        pictures = Pictures(tmp_path / str(turn))
        for number in range(25):
            pictures.add(f"images/{number}.png", [CAT, DOG, CAT][: number % 4], ["calm"][: number % 2])
        arguments = {"folder": str(pictures.folder), "format": "viam", "name": "pets", "workers": 2}
        arguments["part_id"] = sandbox.robot_part_id
        # The last one that was left alone shows how long it takes.
        limit = source.uniform(0, duration) if turn else 60
        was_killed, seconds = children.run(sandbox, "import_dataset", arguments, limit)
        duration, killed = duration if was_killed else seconds, killed + was_killed
        result: DatasetImportResult = data.import_dataset(**arguments)
        assert result.complete
        expected = {f"{number}.png": ([CAT, DOG, CAT][: number % 4], ["calm"][: number % 2]) for number in range(25)}
        assert stored(data, result.dataset_id) == expected
        files, _, _ = data.binary_data_by_filter(create_filter(part_id=sandbox.robot_part_id), limit=100)
        assert len(files) == 25
        sandbox.reset()
    # The last moments of a run are so short that a few kills may all come too late.
    assert killed or KILLS < 10
