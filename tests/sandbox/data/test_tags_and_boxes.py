import pytest

from sandbox.calls import refused
from sandbox.data_calls import NO_FILE, NO_OBJECT, PNG
from viam_sync.app.viam_client import ViamClient
from viam_sync.utils import create_filter

BOX = {"label": "cat", "x_min_normalized": 0.25, "x_max_normalized": 0.5, "y_min_normalized": 0, "y_max_normalized": 1}


def tags(data, id):
    return list(data.about(id).capture_metadata.tags)


def boxes(data, id):
    return list(data.about(id).annotations.bboxes)


def add_box(data, id, **fields):
    return data.AddBoundingBoxToImageByID(**{"binary_data_id": id, **BOX, **fields}).bbox_id


def test_tags_are_added_once_and_in_their_order(data):
    one, two = data.put(tags=["b"]), data.put()
    both = {"binary_data_ids": [one], "binary_ids": [data.message_of(two)]}
    data.AddTagsToBinaryDataByIDs(tags=["c", "a", "b", "c"], **both)
    data.AddTagsToBinaryDataByIDs(tags=["a"], **both)
    assert (tags(data, one), tags(data, two)) == (["b", "c", "a"], ["c", "a", "b"])


def test_removal_counts_the_files_that_lost_a_tag(data):
    ids = [data.put(tags=given) for given in (["a", "b"], ["a"], ["c"])]
    remove = data.RemoveTagsFromBinaryDataByIDs
    assert remove(tags=["a\0b", "A"], binary_data_ids=ids).deleted_count == 0
    assert remove(tags=["a", "b", "z"], binary_data_ids=ids).deleted_count == 2
    assert remove(tags=["a", "b", "z"], binary_data_ids=ids).deleted_count == 0
    assert [tags(data, id) for id in ids] == [[], [], ["c"]]


def test_tags_are_added_and_removed_by_a_filter(data):
    ids = [data.put(method_name=name, tags=["old"]) for name in ("m", "m", "n")]
    data.AddTagsToBinaryDataByFilter(filter={"method": "m"}, tags=["new"])
    assert [tags(data, id) for id in ids] == [["old", "new"], ["old", "new"], ["old"]]
    remove = data.RemoveTagsFromBinaryDataByFilter
    assert remove(filter={"tags_filter": {"tags": ["new"]}}, tags=["old", "new"]).deleted_count == 2
    assert [tags(data, id) for id in ids] == [[], [], ["old"]]
    assert remove(filter={"method": "none"}, tags=["old"]).deleted_count == 0
    assert remove(tags=["old", "ripe"]).deleted_count == 13


def test_tags_are_needed_and_not_empty(data):
    id = data.put(tags=["t"])
    for rpc in ("AddTagsToBinaryDataBy", "RemoveTagsFromBinaryDataBy"):
        for given, text in (([], "has no tags"), (["t", ""], "One of the tags is empty")):
            with refused("INVALID_ARGUMENT", text):
                getattr(data, f"{rpc}IDs")(tags=given, binary_data_ids=[id])
            with refused("INVALID_ARGUMENT", text):
                getattr(data, f"{rpc}Filter")(tags=given)
        with refused("NOT_FOUND", f"No file has the ID '{NO_FILE}'"):
            getattr(data, f"{rpc}IDs")(tags=["u"], binary_data_ids=[id, NO_FILE])
    assert tags(data, id) == ["t"]


def test_the_tag_of_a_dataset_follows_from_being_in_it(sandbox, data):
    tag, id = f"VIAM_DATASET_{sandbox.dataset_id}", data.put(dataset_ids=[sandbox.dataset_id])
    assert tags(data, id) == [tag]
    with refused("INVALID_ARGUMENT", "stands for being in a dataset"):
        data.AddTagsToBinaryDataByIDs(tags=[tag], binary_data_ids=[id])
    with refused("INVALID_ARGUMENT", "stands for being in a dataset"):
        data.AddTagsToBinaryDataByFilter(tags=[tag])
    assert data.RemoveTagsFromBinaryDataByIDs(tags=[tag], binary_data_ids=[id]).deleted_count == 0
    assert tags(data, id) == [tag]


def test_the_tags_of_all_that_matches_are_listed_once_sorted_and_without_datasets(sandbox, data):
    data.put(tags=["z", "a"], dataset_ids=[sandbox.dataset_id], method_name="m")
    data.put(tags=["a"], method_name="n")
    data.put_readings({"t": 1}, tags=["tabular"], method_name="n")
    listed = data.TagsByFilter
    assert set(listed().tags) >= {"a", "ripe", "tabular", "unripe", "z"}
    assert listed(filter={"robot_name": "rover"}).tags == ["a", "tabular", "z"]
    assert listed(filter={"method": "m"}).tags == ["a", "z"]
    assert listed(filter={"method": "n"}).tags == ["a", "tabular"]
    assert listed(filter={"tags_filter": {"tags": ["tabular"]}}).tags == ["tabular"]
    assert listed(filter={"dataset_id": sandbox.dataset_id}).tags == ["a", "ripe", "unripe", "z"]
    assert listed(filter={"bbox_labels": ["ripe"]}).tags == ["ripe"]
    assert listed(filter={"method": "n", "interval": {"end": {"seconds": 1}}}).tags == []


def test_a_box_marks_something_in_an_image(data):
    id = data.put()
    first = add_box(data, id)
    message = {"binary_id": data.message_of(id), "binary_data_id": ""}
    second = add_box(data, id, **message, label="dog", confidence=0)
    found = boxes(data, id)
    assert [(each.id, each.label) for each in found] == [(first, "cat"), (second, "dog")]
    assert [each.HasField("confidence") for each in found] == [False, True]
    assert (found[0].x_min_normalized, found[0].x_max_normalized, found[0].y_max_normalized) == (0.25, 0.5, 1)
    assert (len(first), int(first, 16) > 0) == (24, True)


WRONG = [
    ({"label": ""}, "The label of the bounding box is empty"),
    ({"label": "  "}, "The label of the bounding box is empty"),
    ({"x_min_normalized": -0.01}, "x_min_normalized is -0.01"),
    ({"y_max_normalized": 1.01}, "y_max_normalized is 1.01"),
    ({"y_min_normalized": float("nan")}, "y_min_normalized is nan"),
    ({"x_max_normalized": float("inf")}, "x_max_normalized is inf"),
    ({"x_min_normalized": 0.5}, "the minimum must be the lesser"),
    ({"y_min_normalized": 1}, "the minimum must be the lesser"),
    ({"confidence": 1.5}, "confidence is 1.5"),
    ({"confidence": float("nan")}, "confidence is nan"),
]


@pytest.mark.parametrize(("fields", "text"), WRONG)
def test_a_box_that_is_none_is_refused(data, fields, text):
    id = data.put()
    with refused("INVALID_ARGUMENT", text):
        add_box(data, id, **fields)
    box = add_box(data, id)
    with refused("INVALID_ARGUMENT", text):
        data.UpdateBoundingBox(binary_data_id=id, bbox_id=box, **fields)
    (kept,) = boxes(data, id)
    assert (kept.label, kept.x_min_normalized, kept.HasField("confidence")) == ("cat", 0.25, False)


def test_a_file_that_is_no_image_has_no_boxes(data):
    id = data.put(mime_type="text/plain")
    with refused("FAILED_PRECONDITION", "is no image but 'text/plain'"):
        add_box(data, id)


def test_an_update_changes_what_it_has_alone(data):
    id = data.put()
    box = add_box(data, id, confidence=0.5)
    update = data.UpdateBoundingBox
    update(binary_data_id=id, bbox_id=box, label="dog")
    update(binary_id=data.message_of(id), bbox_id=box.upper(), x_min_normalized=0, confidence=0)
    (found,) = boxes(data, id)
    assert (found.id, found.label, found.confidence, found.x_min_normalized, found.x_max_normalized) == (
        *(box, "dog", 0, 0, 0.5),
    )
    assert data.ids(bbox_labels=["dog"]) == [id]
    assert data.ids(bbox_labels=["cat"]) == []
    with refused("INVALID_ARGUMENT", "the minimum must be the lesser"):
        update(binary_data_id=id, bbox_id=box, x_min_normalized=0.75)


def test_a_box_is_removed_from_the_image_that_has_it(data):
    id, other = data.put(), data.put()
    box, kept = add_box(data, id), add_box(data, id, label="dog")
    for rpc in ("RemoveBoundingBoxFromImageByID", "UpdateBoundingBox"):
        for file, name in ((other, box), (id, NO_OBJECT)):
            with refused("NOT_FOUND", f"has no bounding box with the ID '{name}'"):
                getattr(data, rpc)(binary_data_id=file, bbox_id=name)
        for name in ("", "box", "\0" * 24):
            with refused("INVALID_ARGUMENT", "bounding box ID"):
                getattr(data, rpc)(binary_data_id=id, bbox_id=name)
    data.RemoveBoundingBoxFromImageByID(binary_data_id=id, bbox_id=box)
    assert [each.id for each in boxes(data, id)] == [kept]
    with refused("NOT_FOUND", "has no bounding box"):
        data.RemoveBoundingBoxFromImageByID(binary_data_id=id, bbox_id=box)


def test_the_image_must_be_there_and_be_one(data):
    one, two = data.put(), data.put()
    for rpc, fields in (
        ("AddBoundingBoxToImageByID", BOX),
        ("UpdateBoundingBox", {"bbox_id": NO_OBJECT}),
        ("RemoveBoundingBoxFromImageByID", {"bbox_id": NO_OBJECT}),
    ):
        call = getattr(data, rpc)
        with refused("NOT_FOUND", f"No file has the ID '{NO_FILE}'"):
            call(binary_data_id=NO_FILE, **fields)
        for ids in ({}, {"binary_id": {}}, {"binary_data_id": "x"}):
            with refused("INVALID_ARGUMENT", "file ID"):
                call(**ids, **fields)
        with refused("INVALID_ARGUMENT", "name two different files"):
            call(binary_id=data.message_of(one), binary_data_id=two, **fields)
    add_box(data, one, binary_id=data.message_of(one))


def test_only_owners_change_boxes_and_strangers_see_none(data, sandbox, caller_with, foreign_data):
    id = data.put()
    box = add_box(data, id)
    operator = type(data)(caller_with("operator", "organization", sandbox.organization_id))
    for caller in (operator, foreign_data):
        for rpc in ("UpdateBoundingBox", "RemoveBoundingBoxFromImageByID"):
            with refused("PERMISSION_DENIED", "write_robot_data_management"):
                getattr(caller, rpc)(binary_data_id=id, bbox_id=box)
    assert operator.BoundingBoxLabelsByFilter().labels == ["cat", "ripe", "unripe"]
    assert foreign_data.BoundingBoxLabelsByFilter().labels == []
    assert foreign_data.TagsByFilter().tags == []


def test_the_labels_of_all_that_matches_are_listed_once_and_sorted(data):
    id = data.put(method_name="m")
    for label in ("z", "a", "z"):
        add_box(data, id, label=label)
    assert data.BoundingBoxLabelsByFilter(filter={"method": "m"}).labels == ["a", "z"]
    assert data.BoundingBoxLabelsByFilter(filter={"method": "none"}).labels == []


def test_the_client_tags_and_marks(sandbox):
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        data = client.data_client
        upload = data.binary_data_capture_upload(PNG, sandbox.robot_part_id, "camera", "cam", "GetImages", ".png")
        filter = create_filter(component_name="cam")
        data.add_tags_to_binary_data_by_ids(["a", "b"], [upload])
        data.add_tags_to_binary_data_by_filter(["c"], filter)
        assert data.tags_by_filter(filter) == ["a", "b", "c"]
        assert data.remove_tags_from_binary_data_by_ids(["a", "b"], [upload]) == 1
        assert data.remove_tags_from_binary_data_by_filter(["c"], filter) == 1
        box = data.add_bounding_box_to_image_by_id(upload, "cat", 0, 0, 0.5, 0.5, confidence_score=0.5)
        data.update_bounding_box(upload, box, "dog", 0, 0, 1, 1)
        assert data.bounding_box_labels_by_filter(filter) == ["dog"]
        data.remove_bounding_box_from_image_by_id(box, upload)
        assert data.bounding_box_labels_by_filter(filter) == []
