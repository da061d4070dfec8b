"""What a check of a dataset finds is what training refuses: a strict sandbox refuses what the cloud does."""

import random
from typing import Any, Iterator, List, Optional, Sequence

import pytest

from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import FailedPreconditionError, NotFoundError
from viam_sync.proto.app.dataset import DatasetType
from viam_sync.proto.app.mltraining import ModelType
from viam_sync.sandbox import Sandbox

SINGLE = ModelType.MODEL_TYPE_SINGLE_LABEL_CLASSIFICATION
MULTI = ModelType.MODEL_TYPE_MULTI_LABEL_CLASSIFICATION
DETECTION = ModelType.MODEL_TYPE_OBJECT_DETECTION


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(dataset_minima=True) as running:
        yield running


@pytest.fixture
def data(client: ViamClient) -> DataClient:
    return client.data_client


def add_images(
    data: DataClient,
    sandbox: Sandbox,
    count: int,
    *,
    tags: Sequence[str] = (),
    boxes: Sequence[str] = (),
    dataset_id: Optional[str] = None,
) -> List[str]:
    """Upload images with the same labels, and return their IDs."""
    ids = []
    for number in range(count):
        part, datasets = sandbox.robot_part_id, [dataset_id] if dataset_id else []
        id = data.file_upload(part, b"", file_extension=".png", tags=tags, dataset_ids=datasets)
        for label in boxes:
            data.add_bounding_box_to_image_by_id(id, label, 0, 0, 0.5, (number + 1) / (count + 1))
        ids.append(id)
    return ids


@pytest.fixture
def dataset_id(data: DataClient, sandbox: Sandbox) -> str:
    return data.create_dataset("pets", sandbox.organization_id)


def is_accepted(client: ViamClient, sandbox: Sandbox, dataset_id: str, kind: Any, tags: Sequence[str] = ()) -> bool:
    try:
        id = client.ml_training_client.submit_training_job(
            sandbox.organization_id, dataset_id, "model", "v1", kind, tags
        )
    except FailedPreconditionError:
        return False
    client.ml_training_client.cancel_training_job(id)
    return True


def test_a_dataset_that_suffices_has_no_problems(client: ViamClient, sandbox: Sandbox, data: DataClient) -> None:
    for kind in (SINGLE, MULTI, DETECTION):
        check = data.check_dataset(sandbox.dataset_id, kind)
        assert check.suffices
        assert (check.images, check.labeled, check.examples) == (24, 24, {"ripe": 12, "unripe": 12})
        assert str(check) == f"DatasetCheck('{sandbox.dataset_id}', 24 images, 24 labelled, 2 labels, 0 problems)"
        assert is_accepted(client, sandbox, sandbox.dataset_id, kind)


def test_all_problems_are_named_with_what_to_do(
    client: ViamClient, sandbox: Sandbox, data: DataClient, dataset_id: str
) -> None:
    add_images(data, sandbox, 1, boxes=["cat"], dataset_id=dataset_id)
    add_images(data, sandbox, 3, dataset_id=dataset_id)
    check = data.check_dataset(dataset_id, DETECTION)
    assert str(check).splitlines() == [
        f"DatasetCheck('{dataset_id}', 4 images, 1 labelled, 1 labels, 4 problems)",
        "it has 4 images, and a detector takes 15; add 11",
        "1 of its 4 images are labelled, and 80 %, 4, have to be; give 3 more a box, or take unlabelled ones out",
        "it trains on 1 label, and takes 2; add images with another one",
        "the label 'cat' has 1 box, and takes 10; add 9, or leave it out of tags",
    ]
    assert not check.suffices
    assert not is_accepted(client, sandbox, dataset_id, DETECTION)


def test_an_empty_dataset_does_not_suffice(
    client: ViamClient, sandbox: Sandbox, data: DataClient, dataset_id: str
) -> None:
    for kind in (SINGLE, DETECTION):
        check = data.check_dataset(dataset_id, kind)
        assert (check.images, check.labeled, check.examples) == (0, 0, {})
        assert check.problems[-1] == "it trains on 0 labels, and takes 2; add images with another one"
        assert not is_accepted(client, sandbox, dataset_id, kind)


def test_tags_that_are_not_there_are_named(client: ViamClient, sandbox: Sandbox, data: DataClient) -> None:
    check = data.check_dataset(sandbox.dataset_id, SINGLE, tags=["ripe", "green", "ripe"])
    assert check.examples == {"ripe": 12, "green": 0}
    assert check.problems == [
        "12 of its 24 images are labelled, and 80 %, 20, have to be; give 8 more a tag, or take unlabelled ones out",
        "the label 'green' has 0 tags, and takes 10; add 10, or leave it out of tags",
    ]
    assert not is_accepted(client, sandbox, sandbox.dataset_id, SINGLE, ["ripe", "green"])


def test_several_boxes_in_an_image_are_as_many_examples(
    client: ViamClient, sandbox: Sandbox, data: DataClient, dataset_id: str
) -> None:
    add_images(data, sandbox, 5, boxes=["cat", "cat", "dog"], dataset_id=dataset_id)
    add_images(data, sandbox, 10, boxes=["dog"], dataset_id=dataset_id)
    check = data.check_dataset(dataset_id, DETECTION)
    assert check.suffices
    assert check.examples == {"cat": 10, "dog": 15}
    assert is_accepted(client, sandbox, dataset_id, DETECTION)


def test_what_is_found_is_what_training_refuses(client: ViamClient, sandbox: Sandbox, data: DataClient) -> None:
    source = random.Random(15)
    ids: List[str] = []
    for _ in range(60):
        labels = ["cat"], ["dog"], ["cat", "dog", "dog"], [], ["Cat"], ["cat"] * 4, ["owl", "cat"]
        boxes, tags = source.choices(labels, [10, 9, 8, 3, 1, 2, 2], k=2)
        ids += add_images(data, sandbox, 1, tags=list(dict.fromkeys(tags)), boxes=boxes)
    outcomes = []
    for turn in range(300):
        dataset_id = data.create_dataset(str(turn), sandbox.organization_id)
        data.add_binary_data_to_dataset_by_ids(source.sample(ids, source.randint(9, 60)), dataset_id)
        kind = source.choice([SINGLE, MULTI, DETECTION])
        tags = source.choice([[], ["cat", "dog"], ["cat", "dog", "cat"], ["dog"], ["cat", "owl"], ["cat", "Cat"]])
        check = data.check_dataset(dataset_id, kind, tags=tags)
        assert check.suffices == is_accepted(client, sandbox, dataset_id, kind, tags), str(check)
        outcomes.append(check.suffices)
    assert 30 < sum(outcomes) < 270


def test_the_number_of_calls_is_that_of_labels_and_not_of_images(
    sandbox: Sandbox, data: DataClient, dataset_id: str
) -> None:
    asked = []
    for count in (2, 50):
        data.add_binary_data_to_dataset_by_ids(add_images(data, sandbox, count, tags=["cat", "dog"]), dataset_id)
        faults = [sandbox.faults.delay(rpc, 0, times=None) for rpc in ("BinaryDataByFilter", "TagsByFilter")]
        assert data.check_dataset(dataset_id, SINGLE).labeled == sum((2, 50)[: len(asked) + 1])
        asked.append([fault.met for fault in faults])
        sandbox.faults.clear()
    assert asked == [[4, 1], [4, 1]]


@pytest.mark.parametrize("kind", [SINGLE, DETECTION])
def test_labels_are_found_where_the_deprecated_call_is_gone(sandbox: Sandbox, data: DataClient, kind: Any) -> None:
    for rpc in ("TagsByFilter", "BoundingBoxLabelsByFilter"):
        sandbox.faults.fail(rpc, "UNIMPLEMENTED", times=None)
    assert data.check_dataset(sandbox.dataset_id, kind).examples == {"ripe": 12, "unripe": 12}


def test_a_dataset_of_sequences_does_not_suffice(client: ViamClient, sandbox: Sandbox, data: DataClient) -> None:
    id = data.create_dataset("walks", sandbox.organization_id, DatasetType.DATASET_TYPE_SEQUENCE_DATA)
    with pytest.raises(FailedPreconditionError, match="dataset_id is that of 'walks', a dataset of sequences"):
        data.check_dataset(id, SINGLE)
    assert not is_accepted(client, sandbox, id, SINGLE)


def test_a_dataset_that_nobody_knows_is_an_error(data: DataClient) -> None:
    with pytest.raises(NotFoundError, match="dataset_id is '0123456789abcdef01234567', which the service does not"):
        data.check_dataset("0123456789abcdef01234567", SINGLE)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"dataset_id": ""}, ValueError, "dataset_id is an empty string"),
        ({"model_type": 0}, ValueError, "model_type takes one of MODEL_TYPE_SINGLE_LABEL_CLASSIFICATION, .* got 0"),
        ({"model_type": 77}, ValueError, "model_type takes one of"),
        ({"model_type": "detector"}, ValueError, "model_type takes"),
        ({"tags": "cat"}, TypeError, "tags takes a list of strings"),
        ({"tags": ["cat", ""]}, ValueError, r"tags\[1\] is an empty string"),
        ({"tags": [5]}, TypeError, r"tags\[0\] takes a str"),
    ],
)
def test_a_wrong_argument_is_named(sandbox: Sandbox, data: DataClient, arguments: Any, error: Any, text: str) -> None:
    calls = sandbox.faults.fail("all", "UNAVAILABLE", times=None)
    given = {"dataset_id": sandbox.dataset_id, "model_type": SINGLE, **arguments}
    with pytest.raises(error, match=text):
        data.check_dataset(**given)
    assert calls.met == 0
