import pytest

from sandbox.calls import Caller, refused
from sandbox.data_calls import NO_FILE, NO_OBJECT, NO_UUID, Data
from viam_sync.app.viam_client import ViamClient
from viam_sync.sandbox import Sandbox

SEQUENCES = 1


def create(data, name="cats", **fields):
    return data.CreateDataset(**{"name": name, "organization_id": data.sandbox.organization_id, **fields}).id


def listed(data, **fields):
    given = {"organization_id": data.sandbox.organization_id, **fields}
    return [each.name for each in data.ListDatasetsByOrganizationID(**given).datasets]


def test_a_new_dataset_is_empty_and_has_a_time_and_a_type(sandbox, data):
    id = create(data)
    (dataset,) = data.ListDatasetsByIDs(ids=[id]).datasets
    assert (dataset.id, dataset.name, dataset.organization_id) == (id, "cats", sandbox.organization_id)
    assert (len(id), int(id, 16) > 0, dataset.type, dataset.time_created.seconds > 0) == (24, True, 0, True)
    assert data.ids(dataset_id=id) == []
    assert data.ListDatasetsByIDs(ids=[create(data, "s", type=SEQUENCES)]).datasets[0].type == SEQUENCES


def test_a_name_is_needed_and_unique_in_the_organization(data, foreign_data):
    id = create(data)
    other = create(data, "dogs")
    for call in (create, lambda data: data.RenameDataset(id=other, name="cats")):
        with refused("ALREADY_EXISTS", "has a dataset named 'cats' already"):
            call(data)
    for name in ("", "  "):
        with refused("INVALID_ARGUMENT", "The name of the dataset is empty"):
            create(data, name)
        with refused("INVALID_ARGUMENT", "The name of the dataset is empty"):
            data.RenameDataset(id=id, name=name)
    data.RenameDataset(id=id, name="cats")
    create(foreign_data, organization_id=foreign_data.organization_id)
    with refused("INVALID_ARGUMENT", "type is 77"):
        create(data, "odd", type=77)


def test_datasets_are_listed_newest_first_and_by_type(data):
    create(data, "one")
    create(data, "two", type=SEQUENCES)
    create(data, "three")
    assert listed(data) == ["three", "two", "one", "tomatoes"]
    assert listed(data, type=SEQUENCES) == ["two"]
    assert listed(data, type=0) == ["three", "one", "tomatoes"]


def test_datasets_are_returned_in_the_order_of_their_ids_without_those_that_do_not_exist(data):
    ids = [create(data, name) for name in ("one", "two")]
    found = data.ListDatasetsByIDs(ids=[ids[1].upper(), NO_OBJECT, ids[0], ids[1]]).datasets
    assert [each.name for each in found] == ["two", "one"]
    with refused("INVALID_ARGUMENT", "The request names no dataset"):
        data.ListDatasetsByIDs()


def test_a_dataset_is_renamed(data):
    id = create(data)
    data.RenameDataset(id=id, name="dogs")
    assert data.ListDatasetsByIDs(ids=[id]).datasets[0].name == "dogs"
    create(data, "cats")


def test_a_deleted_dataset_leaves_its_files_without_its_tag(data):
    id = create(data)
    file = data.put(dataset_ids=[id], tags=["t"])
    assert list(data.about(file).capture_metadata.tags) == ["t", f"VIAM_DATASET_{id}"]
    data.DeleteDataset(id=id)
    about = data.about(file)
    assert (list(about.dataset_ids), list(about.capture_metadata.tags)) == ([], ["t"])
    with refused("NOT_FOUND", f"No dataset has the ID '{id}'"):
        data.DeleteDataset(id=id)


def test_files_are_put_in_and_taken_out_as_often_as_one_likes(sandbox, data):
    id, other = create(data), create(data, "dogs")
    one, two = data.put(), data.put()
    both = {"binary_data_ids": [one], "binary_ids": [data.message_of(two)]}
    for _ in range(2):
        data.AddBinaryDataToDatasetByIDs(dataset_id=id, **both)
        data.AddBinaryDataToDatasetByIDs(dataset_id=other.upper(), binary_data_ids=[one])
    assert set(data.about(one).dataset_ids) == {id, other}
    assert set(data.about(one).capture_metadata.tags) == {f"VIAM_DATASET_{each}" for each in (id, other)}
    assert set(data.ids(dataset_id=id)) == {one, two}
    assert data.ids(tags_filter={"tags": [f"VIAM_DATASET_{other}"]}) == [one]
    assert set(data.ids(tags_filter={"type": 3})) == {one, two}
    for _ in range(2):
        data.RemoveBinaryDataFromDatasetByIDs(dataset_id=id, **both)
    assert data.ids(dataset_id=id) == []
    assert list(data.about(one).dataset_ids) == [other]


@pytest.mark.parametrize("rpc", ["AddBinaryDataToDatasetByIDs", "RemoveBinaryDataFromDatasetByIDs"])
def test_the_files_and_the_dataset_must_be_there(sandbox, data, rpc):
    id, sequences = data.put(), create(data, "s", type=SEQUENCES)
    call = getattr(data, rpc)
    with refused("NOT_FOUND", f"No file has the ID '{NO_FILE}'"):
        call(binary_data_ids=[id, NO_FILE], dataset_id=sandbox.dataset_id)
    with refused("NOT_FOUND", f"No dataset has the ID '{NO_OBJECT}'; list_datasets_by_organization_id shows"):
        call(binary_data_ids=[id], dataset_id=NO_OBJECT)
    for wrong in ("", "tomatoes", "0" * 23 + "\0"):
        with refused("INVALID_ARGUMENT", "dataset ID"):
            call(binary_data_ids=[id], dataset_id=wrong)
    with refused("FAILED_PRECONDITION", "'s' is one of sequences"):
        call(binary_data_ids=[id], dataset_id=sequences)
    assert not data.about(id).dataset_ids


def test_several_datasets_become_a_new_one(sandbox, data, foreign_data):
    files = [data.put() for _ in range(3)]
    ids = [create(data, name) for name in ("one", "two")]
    data.AddBinaryDataToDatasetByIDs(dataset_id=ids[0], binary_data_ids=files[:2])
    data.AddBinaryDataToDatasetByIDs(dataset_id=ids[1], binary_data_ids=files[1:])
    given = {"dataset_ids": ids, "name": "all", "organization_id": sandbox.organization_id}
    merged = data.MergeDatasets(**given).dataset_id
    assert set(data.ids(dataset_id=merged)) == set(files)
    assert len(data.ids(dataset_id=ids[0])) == 2
    foreign = create(foreign_data, organization_id=foreign_data.organization_id)
    for changed, code, text in (
        ({}, "ALREADY_EXISTS", "has a dataset named 'all' already"),
        ({"name": ""}, "INVALID_ARGUMENT", "The name of the dataset is empty"),
        ({"name": "n", "dataset_ids": []}, "INVALID_ARGUMENT", "names no dataset"),
        ({"name": "n", "dataset_ids": [NO_OBJECT]}, "NOT_FOUND", "No dataset has the ID"),
        ({"name": "n", "organization_id": NO_UUID}, "NOT_FOUND", "No organization has the ID"),
        ({"name": "n", "dataset_ids": [foreign]}, "FAILED_PRECONDITION", "belongs to another organization"),
        ({"name": "n", "dataset_ids": [create(data, "s", type=1)]}, "FAILED_PRECONDITION", "is one of sequences"),
    ):
        with refused(code, text):
            data.MergeDatasets(**{**given, **changed})
    with refused("PERMISSION_DENIED", "list_dataset"):
        foreign_data.MergeDatasets(dataset_ids=ids, name="n", organization_id=foreign_data.organization_id)
    with refused("PERMISSION_DENIED", "create_dataset"):
        foreign_data.MergeDatasets(dataset_ids=[foreign], name="n", organization_id=sandbox.organization_id)


@pytest.mark.parametrize(
    ("role", "level"), [("operator", "organization"), ("owner", "location"), ("owner", "robot"), ("stranger", "")]
)
def test_only_owners_of_the_organization_handle_datasets(sandbox, data, caller_with, foreign_data, role, level):
    other = foreign_data if role == "stranger" else Data(caller_with(role, level, getattr(sandbox, f"{level}_id")))
    for rpc, fields, permission in (
        ("CreateDataset", {"name": "n", "organization_id": sandbox.organization_id}, "create_dataset"),
        ("RenameDataset", {"name": "n", "id": sandbox.dataset_id}, "rename_dataset"),
        ("DeleteDataset", {"id": sandbox.dataset_id}, "delete_dataset"),
        ("ListDatasetsByIDs", {"ids": [sandbox.dataset_id]}, "list_dataset"),
        ("ListDatasetsByOrganizationID", {"organization_id": sandbox.organization_id}, "list_dataset"),
    ):
        with refused("PERMISSION_DENIED", permission):
            getattr(other, rpc)(**fields)
    assert listed(data) == ["tomatoes"]


def test_an_owner_of_a_machine_puts_its_files_into_a_dataset_of_the_organization(
    sandbox, data, caller_with, foreign_data
):
    id = data.put()
    owner = Data(caller_with("owner", "robot", sandbox.robot_id))
    owner.AddBinaryDataToDatasetByIDs(binary_data_ids=[id], dataset_id=sandbox.dataset_id)
    foreign = create(foreign_data, organization_id=foreign_data.organization_id)
    with refused("PERMISSION_DENIED", "You have no role in the organization"):
        owner.AddBinaryDataToDatasetByIDs(binary_data_ids=[id], dataset_id=foreign)
    with refused("PERMISSION_DENIED", "write_robot_data_management"):
        foreign_data.AddBinaryDataToDatasetByIDs(binary_data_ids=[id], dataset_id=foreign)


def test_the_organization_must_be_there(data):
    for rpc, more in (("CreateDataset", {"name": "n"}), ("ListDatasetsByOrganizationID", {})):
        with refused("NOT_FOUND", "No organization has the ID"):
            getattr(data, rpc)(organization_id=NO_UUID, **more)
        with refused("INVALID_ARGUMENT", "organization ID"):
            getattr(data, rpc)(organization_id="x", **more)


def test_the_dataset_must_be_there(data):
    for rpc, more in (("RenameDataset", {"name": "n"}), ("DeleteDataset", {})):
        with refused("NOT_FOUND", "No dataset has the ID"):
            getattr(data, rpc)(id=NO_OBJECT, **more)
        with refused("INVALID_ARGUMENT", "dataset ID"):
            getattr(data, rpc)(id="x", **more)


def test_datasets_survive_a_restart(tmp_path):
    found = []
    for _ in range(2):
        with Sandbox(tmp_path) as sandbox:
            caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
            data = Data(caller)
            found.append((sandbox.dataset_id, data.ListDatasetsByIDs(ids=[sandbox.dataset_id]), data.ids()))
            caller.channel.close()
    assert found[0] == found[1]
    assert len(found[0][2]) == 24


def test_the_client_makes_fills_and_deletes_datasets(sandbox):
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        data = client.data_client
        id = data.create_dataset("cats", sandbox.organization_id)
        files = [each.metadata.binary_data_id for each in data.binary_data_by_filter(limit=3)[0]]
        data.add_binary_data_to_dataset_by_ids(files, id)
        data.remove_binary_data_from_dataset_by_ids(files[:1], id)
        data.rename_dataset(id, "dogs")
        assert [each.name for each in data.list_dataset_by_ids([id])] == ["dogs"]
        assert id in data.binary_data_by_ids(files[1:])[0].metadata.dataset_ids
        data.delete_dataset(id)
        assert [each.name for each in data.list_datasets_by_organization_id(sandbox.organization_id)] == ["tomatoes"]
