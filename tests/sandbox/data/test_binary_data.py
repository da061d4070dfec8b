import pytest

from sandbox.calls import Caller, refused
from sandbox.data_calls import NO_FILE, NO_OBJECT, NO_UUID, PNG, Data, blob_names
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import InvalidArgumentError
from viam_sync.proto.app.data import BinaryID, Order
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter

ASCENDING, DESCENDING = 2, 1
OR, TAGGED, UNTAGGED = 1, 2, 3


@pytest.fixture
def empty(data):
    """Provide the data services for the owner of the sample organization, with all files deleted."""
    data.DeleteBinaryDataByFilter()
    return data


def pages(data, filter=None, **asked):
    """Return the IDs on each page."""
    found, last = [], ""
    while True:
        page = data.BinaryDataByFilter(data_request={"filter": filter, "last": last, **asked})
        assert page.count == len(page.data)
        assert page.total_size_bytes == sum(each.metadata.file_size_bytes for each in page.data)
        found.append([each.metadata.binary_data_id for each in page.data])
        if not page.data:
            assert page.last == ""
            return found[:-1]
        assert len(page.last) == 24
        last = page.last


def test_without_a_filter_it_is_all_that_there_is_newest_first(empty):
    ids = [empty.put(at=at) for at in (300, 100, 200)]
    for request in ({}, {"data_request": {}}, {"data_request": {"filter": {}}}):
        page = empty.BinaryDataByFilter(**request)
        assert [each.metadata.binary_data_id for each in page.data] == [ids[0], ids[2], ids[1]]
        assert all(not each.binary for each in page.data)


def test_pages_go_through_all_files_once_in_either_order_also_where_times_are_the_same(empty):
    ids = [empty.put(at=at) for at in (1, 2, 2, 2, 2, 3, -5)]
    ascending = [ids[6], *ids[:6]]
    assert pages(empty, limit=3, sort_order=ASCENDING) == [ascending[:3], ascending[3:6], ascending[6:]]
    for order in (0, DESCENDING, 77):
        newest = ascending[::-1]
        assert pages(empty, limit=2, sort_order=order) == [newest[:2], newest[2:4], newest[4:6], newest[6:]]


def test_a_page_has_50_files_and_at_most_100(empty):
    for number in range(101):
        empty.put(at=number)
    assert [len(page) for page in pages(empty)] == [50, 50, 1]
    for limit in (100, 101, 2**63, 2**64 - 1):
        assert [len(page) for page in pages(empty, limit=limit)] == [100, 1]


def test_pages_are_not_disturbed_by_what_comes_and_goes(empty):
    ids = [empty.put(at=at) for at in range(4)]
    first = empty.BinaryDataByFilter(data_request={"limit": 2})
    empty.put(at=50)
    empty.DeleteBinaryDataByIDs(binary_data_ids=[first.data[1].metadata.binary_data_id])
    second = empty.BinaryDataByFilter(data_request={"limit": 2, "last": first.last})
    assert [each.metadata.binary_data_id for each in second.data] == [ids[1], ids[0]]


@pytest.mark.parametrize("last", ["x", "0" * 23, "0" * 25, "g" * 24, "0" * 23 + "\0", NO_FILE])
def test_a_place_that_no_page_ended_with_is_refused(data, last):
    with refused("INVALID_ARGUMENT", "is none of the places that a page ended with"):
        data.BinaryDataByFilter(data_request={"last": last})


@pytest.mark.parametrize("last", ["0" * 24, "f" * 24])
def test_a_place_at_the_end_of_time_is_one(data, last):
    data.BinaryDataByFilter(data_request={"last": last})


def test_counting_gives_the_number_and_the_size_of_all_and_no_files(empty):
    for _ in range(3):
        empty.put(b"12345")
    counted = empty.BinaryDataByFilter(data_request={"limit": 2}, count_only=True, include_binary=True)
    assert (counted.count, counted.total_size_bytes, counted.last, len(counted.data)) == (3, 15, "", 0)
    nothing = empty.BinaryDataByFilter(data_request={"filter": {"method": "none"}}, count_only=True)
    assert (nothing.count, nothing.total_size_bytes) == (0, 0)


def test_the_sample_is_a_day_of_pictures_with_tags_and_boxes(sandbox, data):
    found = data.find(include_binary=True, dataset_id=sandbox.dataset_id)
    assert len(found) == 24
    tag = f"VIAM_DATASET_{sandbox.dataset_id}"
    for file in found:
        about, (box,) = file.metadata, file.metadata.annotations.bboxes
        assert about.capture_metadata.robot_name == "plant-watcher"
        assert about.capture_metadata.mime_type == "image/png"
        assert list(about.capture_metadata.tags) == [box.label, tag]
        assert 0 <= box.x_min_normalized < box.x_max_normalized <= 1
        assert 0 <= box.y_min_normalized < box.y_max_normalized <= 1
        assert file.binary.startswith(b"\x89PNG\r\n\x1a\n")
        assert len(file.binary) == about.file_size_bytes
    assert {tag: len(data.find(tags_filter={"tags": [tag]})) for tag in ("ripe", "unripe")} == {
        "ripe": 12,
        "unripe": 12,
    }
    seconds = [each.metadata.time_requested.seconds for each in found]
    assert seconds[0] - seconds[-1] == 23 * 3600


def test_each_field_of_a_filter_counts(sandbox, data, empty):
    caller = data.caller
    part_id = caller.NewRobotPart(robot_id=sandbox.robot_id, part_name="second").part_id
    robot_id = caller.NewRobot(name="other", location=sandbox.location_id).id
    other_part = caller.GetRobotParts(robot_id=robot_id).parts[0].id
    place = caller.CreateLocation(organization_id=sandbox.organization_id, name="Elsewhere").location.id
    far_robot = caller.NewRobot(name="far", location=place).id
    far_part = caller.GetRobotParts(robot_id=far_robot).parts[0].id
    box = {"label": "cat", "x_max_normalized": 1, "y_max_normalized": 1}
    ids = {
        "plain": data.put(at=100),
        "name": data.put(at=200, component_name="n"),
        "type": data.put(at=300, component_type="rdk:component:sonar"),
        "method": data.put(at=400, method_name="m"),
        "part": data.put(at=500, part_id=part_id),
        "robot": data.put(at=600, part_id=other_part),
        "far": data.put(at=700, part_id=far_part),
        "kind": data.put(at=800, mime_type="text/plain"),
        "tag": data.put(at=900, tags=["t"]),
        "box": data.put(at=1000, annotations={"bboxes": [box]}),
        "set": data.put(at=1100, dataset_ids=[sandbox.dataset_id]),
    }

    def matches(*expected, **filter):
        assert set(data.ids(**filter)) == {ids[each] for each in expected}
        assert data.count(**filter) == len(expected)

    matches("name", component_name="n")
    matches("type", component_type="rdk:component:sonar")
    matches("type", component_type="sonar")
    matches(component_type="nar")
    matches("method", method="m")
    matches("robot", robot_name="other")
    matches("robot", robot_id=robot_id.upper())
    matches("part", part_name="second")
    matches("part", part_id=part_id)
    matches("far", location_ids=[place])
    matches(*ids, location_ids=[place, sandbox.location_id])
    matches(*ids, organization_ids=[sandbox.organization_id, NO_UUID])
    matches(organization_ids=[NO_UUID])
    matches("kind", mime_type=["text/plain", "none"])
    matches("name", "type", interval=span(200, 400))
    matches("plain", interval=span(None, 200))
    matches("set", interval=span(1001, None))
    matches("tag", tags_filter={"tags": ["t", "u"]})
    matches("tag", tags_filter={"type": OR, "tags": ["t"]})
    matches("tag", tags_filter={"type": TAGGED, "tags": ["ignored"]})
    matches(*(set(ids) - {"tag"}), tags_filter={"type": UNTAGGED, "tags": ["ignored"]})
    matches("set", tags_filter={"tags": [f"VIAM_DATASET_{sandbox.dataset_id}"]})
    matches(*ids, tags_filter={})
    matches(*ids, tags_filter={"type": OR})
    matches("box", bbox_labels=["cat", "dog"])
    matches("set", dataset_id=sandbox.dataset_id)
    matches(dataset_id=NO_OBJECT)
    matches(
        "tag",
        tags_filter={"tags": ["t"]},
        robot_name="rover",
        interval=span(900, 901),
        organization_ids=[sandbox.organization_id],
    )
    matches(tags_filter={"tags": ["t"]}, method="m")


def span(start, end):
    return {name: {"seconds": at} for name, at in (("start", start), ("end", end)) if at is not None}


@pytest.mark.parametrize(
    "filter",
    [
        {"robot_id": "rover"},
        {"part_id": "x"},
        {"location_ids": ["Workshop"]},
        {"organization_ids": [NO_UUID, ""]},
        {"dataset_id": "tomatoes"},
    ],
)
def test_a_malformed_id_in_a_filter_is_refused(data, filter):
    for rpc in (
        *("DeleteBinaryDataByFilter", "TagsByFilter", "BoundingBoxLabelsByFilter"),
        *("AddTagsToBinaryDataByFilter", "RemoveTagsFromBinaryDataByFilter"),
    ):
        with refused("INVALID_ARGUMENT", "ID"):
            getattr(data, rpc)(filter=filter, **({"tags": ["t"]} if "TagsTo" in rpc or "TagsFrom" in rpc else {}))
    with refused("INVALID_ARGUMENT", "ID"):
        data.find(**filter)


@pytest.mark.parametrize(
    "filter",
    [
        {"interval": {"start": {"seconds": 2**62}, "end": {"seconds": -(2**62)}}},
        {"interval": {"end": {"seconds": 1, "nanos": -(2**31)}}},
        {"component_name": "a\0b", "component_type": "\0", "method": "\0", "robot_name": "'", "part_name": '"'},
        {"tags_filter": {"type": 99, "tags": ["\0", "", "%", "_", "\U0001f600"]}},
        {"mime_type": [str(number) for number in range(50_000)]},
        {"bbox_labels": ["\0"] * 50_000},
    ],
)
def test_odd_filters_match_nothing_and_harm_nothing(data, filter):
    assert data.count(**filter) == 0
    assert data.find(**filter) == []


def test_files_are_returned_in_the_order_of_their_ids_without_those_that_do_not_exist(data):
    ids = [data.put() for _ in range(3)]
    absent = f"{NO_UUID}/{'0' * 10}/{NO_FILE}"
    moved = ids[0].replace(ids[0].split("/")[0], NO_UUID)
    response = data.BinaryDataByIDs(binary_data_ids=[ids[2], absent, ids[0], moved, ids[2]])
    assert [each.metadata.binary_data_id for each in response.data] == [ids[2], ids[0]]
    assert response.count == 2
    assert not response.data[0].binary
    assert data.get(*ids, include_binary=True)[1].binary == PNG


def test_both_kinds_of_ids_are_good_alone_and_together(data):
    ids = [data.put() for _ in range(3)]
    bare = [{"file_id": id.rpartition("/")[2]} for id in ids]
    new = data.BinaryDataByIDs

    def found(**fields):
        return [each.metadata.binary_data_id for each in new(**fields).data]

    assert found(binary_data_ids=ids) == found(binary_data_ids=[each["file_id"] for each in bare]) == ids
    assert found(binary_ids=[data.message_of(id) for id in ids]) == found(binary_ids=bare) == ids
    assert found(binary_ids=[{"file_id": id} for id in ids]) == ids
    assert found(binary_ids=bare[2:], binary_data_ids=ids) == [ids[2], ids[0], ids[1]]
    assert found(binary_ids=[{**data.message_of(ids[0]), "location_id": "0" * 10}]) == []


BAD_IDS = (
    "",
    "x",
    "a/b",
    "//",
    "a/b/c/d",
    f"{NO_UUID}//{NO_FILE}",
    f"{NO_UUID}/0/{NO_FILE}",
    NO_FILE + "\0",
    "\u00e9" * 64,
)


@pytest.mark.parametrize("id", BAD_IDS)
def test_a_malformed_id_is_refused_everywhere(data, sandbox, id):
    for fields in ({"binary_data_ids": [id]}, {"binary_ids": [{"file_id": id}]}):
        for rpc, more in (
            ("BinaryDataByIDs", {}),
            ("DeleteBinaryDataByIDs", {}),
            ("AddTagsToBinaryDataByIDs", {"tags": ["t"]}),
            ("RemoveTagsFromBinaryDataByIDs", {"tags": ["t"]}),
            ("AddBinaryDataToDatasetByIDs", {"dataset_id": sandbox.dataset_id}),
            ("RemoveBinaryDataFromDatasetByIDs", {"dataset_id": sandbox.dataset_id}),
        ):
            with refused("INVALID_ARGUMENT", "ID"):
                getattr(data, rpc)(**fields, **more)
    for fields in ({"organization_id": "x"}, {"location_id": "Workshop"}):
        with refused("INVALID_ARGUMENT", "ID"):
            data.BinaryDataByIDs(binary_ids=[{"file_id": NO_FILE, **fields}])
    with refused("INVALID_ARGUMENT"):
        data.CreateBinaryDataSignedURL(binary_data_id=id)


def test_a_request_without_ids_is_refused_everywhere(data, sandbox):
    for rpc, more in (
        ("BinaryDataByIDs", {}),
        ("DeleteBinaryDataByIDs", {}),
        ("AddTagsToBinaryDataByIDs", {"tags": ["t"]}),
        ("RemoveTagsFromBinaryDataByIDs", {"tags": ["t"]}),
        ("AddBinaryDataToDatasetByIDs", {"dataset_id": sandbox.dataset_id}),
        ("RemoveBinaryDataFromDatasetByIDs", {"dataset_id": sandbox.dataset_id}),
    ):
        with refused("INVALID_ARGUMENT", "The request names no file"):
            getattr(data, rpc)(**more)


def test_more_ids_than_a_query_has_room_for_are_no_trouble(data):
    id = data.put()
    many = [f"{number:064d}" for number in range(100_000)]
    assert [each.metadata.binary_data_id for each in data.get(*many, id)] == [id]


def test_an_answer_that_would_be_too_large_is_refused_and_smaller_ones_are_not(sandbox, data):
    chunk = {"file_contents": {"data": bytes(1024 * 1024)}}
    ids = []
    for pieces in (31, 2):
        opening = {"metadata": data.metadata(3, component_name="large")}
        ids.append(data.send("FileUpload", iter([opening, *[chunk] * pieces])).binary_data_id)
    for call in (
        lambda: data.get(*ids, include_binary=True),
        lambda: data.find(include_binary=True, component_name="large"),
    ):
        with refused("INVALID_ARGUMENT", "INCLUDE_BINARY_TOO_LARGE"):
            call()
    assert len(data.get(*ids)) == 2
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        files, count, last = client.data_client.binary_data_by_filter(create_filter(component_name="large"), limit=1)
        assert (len(files[0].binary), count) == (2 * 1024 * 1024, 1)
        (file,) = client.data_client.binary_data_by_filter(create_filter(component_name="large"), limit=1, last=last)[0]
        assert len(file.binary) == 31 * 1024 * 1024
        with pytest.raises(InvalidArgumentError, match="INCLUDE_BINARY_TOO_LARGE"):
            client.data_client.binary_data_by_ids(ids)


def test_deletion_by_ids_counts_what_there_was_and_takes_all_of_it(sandbox, data):
    ids = [data.put(tags=["t"], dataset_ids=[sandbox.dataset_id]) for _ in range(3)]
    before = blob_names(sandbox)
    request = {"binary_data_ids": [ids[0], NO_FILE], "binary_ids": [data.message_of(ids[1]), data.message_of(ids[0])]}
    assert data.DeleteBinaryDataByIDs(**request).deleted_count == 2
    assert data.DeleteBinaryDataByIDs(**request).deleted_count == 0
    assert data.ids(component_name="cam", dataset_id=sandbox.dataset_id, tags_filter={"tags": ["t"]}) == ids[2:]
    assert before - blob_names(sandbox) == {id.rpartition("/")[2] for id in ids[:2]}


def test_deletion_by_filter_takes_what_matches_and_an_empty_filter_everything(sandbox, data):
    blobs = blob_names(sandbox)
    data.put(method_name="m")
    data.put(method_name="m")
    assert data.DeleteBinaryDataByFilter(filter={"method": "m"}).deleted_count == 2
    assert data.DeleteBinaryDataByFilter(filter={"method": "m"}, include_internal_data=True).deleted_count == 0
    assert blob_names(sandbox) == blobs
    assert data.count() == 24
    assert data.DeleteBinaryDataByFilter().deleted_count == 24
    assert data.count() == 0
    assert data.ListDatasetsByIDs(ids=[sandbox.dataset_id]).datasets


def test_the_contents_go_with_their_organization(sandbox, foreign_data):
    organization = foreign_data.organization_id
    location = foreign_data.caller.ListLocations(organization_id=organization).locations[0].id
    robot = foreign_data.caller.NewRobot(name="r", location=location).id
    part = foreign_data.caller.GetRobotParts(robot_id=robot).parts[0].id
    before = blob_names(sandbox)
    foreign_data.put(part_id=part)
    foreign_data.caller.DeleteRobot(id=robot)
    assert foreign_data.count() == 1
    assert len(blob_names(sandbox)) == len(before) + 1
    foreign_data.caller.DeleteLocation(location_id=location)
    foreign_data.caller.DeleteOrganization(organization_id=organization)
    assert blob_names(sandbox) == before


@pytest.mark.parametrize("level", ["organization", "location", "robot"])
def test_operators_read_and_only_owners_change(sandbox, data, caller_with, level):
    id = data.put(tags=["t"], component_name="mine")
    operator = Data(caller_with("operator", level, getattr(sandbox, f"{level}_id")))
    assert operator.ids(component_name="mine") == [id]
    assert operator.get(id, include_binary=True)[0].binary == PNG
    assert operator.TagsByFilter(filter={"component_name": "mine"}).tags == ["t"]
    assert operator.CreateBinaryDataSignedURL(binary_data_id=id).signed_url
    box = {"label": "l", "x_max_normalized": 1, "y_max_normalized": 1}
    for rpc, fields in (
        ("DeleteBinaryDataByIDs", {"binary_data_ids": [NO_FILE, id]}),
        ("DeleteBinaryDataByFilter", {}),
        ("AddTagsToBinaryDataByIDs", {"binary_data_ids": [id], "tags": ["u"]}),
        ("AddTagsToBinaryDataByFilter", {"tags": ["u"]}),
        ("RemoveTagsFromBinaryDataByIDs", {"binary_data_ids": [id], "tags": ["t"]}),
        ("RemoveTagsFromBinaryDataByFilter", {"tags": ["t"]}),
        ("AddBoundingBoxToImageByID", {"binary_data_id": id, **box}),
        ("AddBinaryDataToDatasetByIDs", {"binary_data_ids": [id], "dataset_id": sandbox.dataset_id}),
        ("RemoveBinaryDataFromDatasetByIDs", {"binary_data_ids": [id], "dataset_id": sandbox.dataset_id}),
    ):
        with refused("PERMISSION_DENIED", "write_robot_data_management"):
            getattr(operator, rpc)(**fields)
    owner = Data(caller_with("owner", level, getattr(sandbox, f"{level}_id")))
    assert owner.DeleteBinaryDataByIDs(binary_data_ids=[id]).deleted_count == 1


def test_strangers_see_nothing_and_are_refused_what_they_name(data, foreign_data):
    id = data.put()
    assert foreign_data.find() == []
    assert foreign_data.count(organization_ids=[id.split("/")[0]]) == 0
    assert foreign_data.DeleteBinaryDataByFilter().deleted_count == 0
    for rpc, fields in (
        ("BinaryDataByIDs", {"binary_data_ids": [id]}),
        ("DeleteBinaryDataByIDs", {"binary_ids": [data.message_of(id)]}),
        ("CreateBinaryDataSignedURL", {"binary_data_id": id}),
    ):
        with refused("PERMISSION_DENIED", "robot_data_management on the machine that the file"):
            getattr(foreign_data, rpc)(**fields)


def test_a_role_reaches_only_the_data_of_its_own_machines(sandbox, data, caller_with):
    robot_id = data.caller.NewRobot(name="other", location=sandbox.location_id).id
    part_id = data.caller.GetRobotParts(robot_id=robot_id).parts[0].id
    mine, other = data.put(), data.put(part_id=part_id)
    owner = Data(caller_with("owner", "robot", sandbox.robot_id))
    assert owner.ids() == [mine]
    with refused("PERMISSION_DENIED"):
        owner.get(mine, other)
    assert owner.DeleteBinaryDataByFilter().deleted_count == 1
    assert data.get(other)


def test_a_shared_location_shares_its_data(sandbox, data, foreign_data):
    id = data.put()
    data.caller.ShareLocation(organization_id=foreign_data.organization_id, location_id=sandbox.location_id)
    assert id in foreign_data.ids()
    data.caller.UnshareLocation(organization_id=foreign_data.organization_id, location_id=sandbox.location_id)
    assert foreign_data.ids() == []


def test_no_page_is_dearer_than_another(sandbox, data):
    """Ask the database how it would find a page: by the index of times alone, without sorting."""
    store, plans = sandbox._world.store, []
    rows = store.rows

    def explaining(sql, *values):
        if "ORDER BY f.requested" in sql:
            plans.append([each["detail"] for each in rows(f"EXPLAIN QUERY PLAN {sql}", *values)])
        return rows(sql, *values)

    store.rows = explaining
    page = data.BinaryDataByFilter(data_request={"limit": 2})
    filters = {"robot_name": "plant-watcher", "tags_filter": {"tags": ["ripe"]}, "bbox_labels": ["ripe"]}
    for order in (ASCENDING, DESCENDING):
        for filter in ({}, filters, {"interval": span(1, 2**33), "dataset_id": sandbox.dataset_id}):
            data.BinaryDataByFilter(data_request={"last": page.last, "filter": filter, "sort_order": order})
    assert len(plans) == 7
    for plan in plans:
        assert any("files_by_time" in step for step in plan), plan
        assert not any("TEMP B-TREE FOR ORDER BY" in step for step in plan), plan


def test_the_client_reads_and_deletes(sandbox, tmp_path):
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        data = client.data_client
        files, count, last = data.binary_data_by_filter(limit=20, sort_order=Order.ORDER_ASCENDING)
        more, rest, _ = data.binary_data_by_filter(limit=20, sort_order=Order.ORDER_ASCENDING, last=last)
        assert (count, rest) == (20, 4)
        assert data.binary_data_by_filter(count_only=True)[1] == 24
        ids = [each.metadata.binary_data_id for each in (*files, *more)]
        old = BinaryID(file_id=files[1].metadata.id)
        assert [each.metadata.binary_data_id for each in data.binary_data_by_ids([ids[0], old])] == [ids[1], ids[0]]
        data.binary_data_by_filter(dest=str(tmp_path))
        assert len(list((tmp_path / "data").iterdir())) == 24
        assert data.delete_binary_data_by_ids([old, ids[0]]) == 2
        assert data.delete_binary_data_by_filter(create_filter(tags=["ripe"])) == 11
        assert data.delete_binary_data_by_filter(None) == 11


def test_two_sandboxes_with_one_seed_have_the_same_files():
    found = []
    for _ in range(2):
        with Sandbox(seed=3, clock=lambda: 1_700_000_000.0) as sandbox:
            caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
            found.append([each.metadata for each in Data(caller).find()])
            caller.channel.close()
    for one, two in zip(*found):
        one.uri = two.uri
    assert found[0] == found[1]
