import pytest

from sandbox.calls import Caller, refused, with_namespace
from viam_sync.proto import app as pb
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.core.call_errors import CallError
from viam_sync.sandbox.registry.items import get_item
from viam_sync.sandbox.registry.models import add_model_version

NOTHING = "00000000-0000-4000-8000-000000000000"
ARCHIVE, ML_MODEL, MODULE, SLAM_MAP, ML_TRAINING = range(1, 6)
PRIVATE, PUBLIC, UNLISTED = 1, 2, 3
PUBLISHED, IN_DEVELOPMENT = 1, 2


def create(owner, sandbox, name="reader", type=ML_TRAINING):
    owner.CreateRegistryItem(organization_id=sandbox.organization_id, name=name, type=type)
    return f"{sandbox.organization_id}:{name}"


def update(owner, item_id, **fields):
    owner.UpdateRegistryItem(**{"item_id": item_id, "type": ML_TRAINING, "visibility": PRIVATE, **fields})


def get(owner, item_id, **fields):
    return owner.GetRegistryItem(item_id=item_id, **fields).item


def names(caller, **fields):
    return [item.name for item in caller.ListRegistryItems(**fields).items]


def use(caller, location_id, config, name="user"):
    """Make a machine with a configuration, and return the ID of its main part."""
    robot_id = caller.NewRobot(name=name, location=location_id).id
    (part,) = caller.GetRobotParts(robot_id=robot_id).parts
    caller.UpdateRobotPart(id=part.id, name=part.name, robot_config=config)
    return part.id


def train(sandbox, name="model", version="1", **more):
    """Do what happens when a training job is over, and return the ID of the model."""
    world = sandbox._world
    with world.store.transaction():
        return add_model_version(world, sandbox.organization_id, name, version, **more)


def found(sandbox, item_id):
    world = sandbox._world
    with world.store.transaction():
        return get_item(world, item_id)


@pytest.mark.parametrize(
    ("type", "metadata"),
    [(MODULE, "module_metadata"), (ML_MODEL, "ml_model_metadata"), (ML_TRAINING, "ml_training_metadata")],
)
def test_a_new_item_is_private_and_has_the_metadata_of_its_type(sandbox, owner, type, metadata):
    item = get(owner, create(owner, sandbox, type=type))
    assert (item.item_id, item.organization_id) == (f"{sandbox.organization_id}:reader", sandbox.organization_id)
    assert (item.name, item.type, item.visibility, item.public_namespace) == ("reader", type, PRIVATE, "")
    assert item.WhichOneof("metadata") == metadata
    assert item.created_at == item.updated_at
    assert not item.HasField("deprecated_status")


@pytest.mark.parametrize("type", [0, ARCHIVE, SLAM_MAP, 77, -1])
def test_items_are_of_three_types(sandbox, owner, type):
    with refused("INVALID_ARGUMENT", "The type of the registry item is not given or not one of"):
        create(owner, sandbox, type=type)
    with refused("INVALID_ARGUMENT", "The type of the registry item is not given or not one of"):
        update(owner, create(owner, sandbox), type=type)


@pytest.mark.parametrize("name", ["a:b", "a/b", "-a", "a b", "é", "a\0", "a" * 201])
def test_a_name_is_one_that_an_id_can_end_in(sandbox, owner, name):
    with refused("INVALID_ARGUMENT", "cannot be the name of a training script"):
        create(owner, sandbox, name)


def test_a_name_is_needed_and_unique_in_the_organization_whatever_the_type(sandbox, owner, stranger):
    with refused("INVALID_ARGUMENT", "The name of the training script is empty"):
        create(owner, sandbox, "")
    create(owner, sandbox)
    with refused("ALREADY_EXISTS", "The organization has a training script named 'reader'"):
        create(owner, sandbox, type=MODULE)
    stranger.CreateRegistryItem(organization_id=stranger.organization_id, name="reader", type=MODULE)
    for id, code in (("", "INVALID_ARGUMENT"), (NOTHING, "NOT_FOUND")):
        with refused(code):
            owner.CreateRegistryItem(organization_id=id, name="reader", type=MODULE)


@pytest.mark.parametrize(
    "rpc",
    [
        *("GetRegistryItem", "UpdateRegistryItem", "DeleteRegistryItem"),
        *("DeprecateRegistryItem", "UndeprecateRegistryItem"),
        *("DeprecateRegistryItemVersion", "UndeprecateRegistryItemVersion"),
    ],
)
def test_an_item_that_does_not_exist_is_refused(sandbox, owner, rpc):
    more = {"version": "1.0.0"} if rpc.endswith("Version") else {}
    if rpc == "UpdateRegistryItem":
        more = {"type": MODULE, "visibility": PRIVATE}
    for id in (f"{sandbox.organization_id}:no", "lessons:no", "no", "no\0", f"{NOTHING}:soil-sensor"):
        with refused("NOT_FOUND", "No registry item has the ID"):
            getattr(owner, rpc)(item_id=id, **more)
    for id in ("", ":", "a:", ":a", "a:b:c"):
        with refused("INVALID_ARGUMENT", "is no registry item ID"):
            getattr(owner, rpc)(item_id=id, **more)


def test_an_item_is_found_by_namespace_by_organization_and_by_name_alone(sandbox, owner):
    item_id = create(owner, sandbox)
    with_namespace(owner, sandbox.organization_id)
    for id in (item_id, "lessons:reader", "reader"):
        item = get(owner, id)
        assert (item.item_id, item.public_namespace) == ("lessons:reader", "lessons")
    assert found(sandbox, item_id)["item_id"] == "lessons:reader"
    with pytest.raises(CallError, match="NOT_FOUND"):
        found(sandbox, "lessons:nothing")


def test_a_name_alone_means_ones_own_item(sandbox, owner, stranger):
    create(owner, sandbox)
    with refused("NOT_FOUND"):
        get(stranger, "reader")
    stranger.CreateRegistryItem(organization_id=stranger.organization_id, name="reader", type=MODULE)
    assert get(stranger, "reader").organization_id == stranger.organization_id
    # The owner made that organization too, and so has both.
    with refused("INVALID_ARGUMENT", "Several organizations have a registry item named 'reader'"):
        get(owner, "reader")


def test_an_organization_cannot_pass_for_another_one(sandbox, owner, stranger):
    with refused("INVALID_ARGUMENT", "cannot be a public namespace"):
        with_namespace(stranger, stranger.organization_id, sandbox.organization_id)


def test_an_update_replaces_the_description_and_keeps_what_it_does_not_have(sandbox, owner):
    item_id = create(owner, sandbox)
    script = {"model_type": 2, "draft": True, "deployment_modular_resources": ["a"]}
    billing = {"cost_per_month": {"per_machine": 2.5}}
    update(
        owner, item_id, description="d", url="https://example.com", update_ml_training_metadata=script, billing=billing
    )
    item = get(owner, item_id)
    assert (item.description, item.url, item.billing.cost_per_month.per_machine) == ("d", "https://example.com", 2.5)
    assert item.ml_training_metadata == pb.MLTrainingMetadata(**script)
    update(owner, item_id)
    later = get(owner, item_id)
    assert (later.description, later.url, later.billing) == ("", item.url, item.billing)
    assert later.ml_training_metadata == item.ml_training_metadata
    update(owner, item_id, update_ml_training_metadata={"model_type": 1})
    assert get(owner, item_id).ml_training_metadata == pb.MLTrainingMetadata(model_type=1)


def test_an_update_bumps_the_time(tmp_path):
    time = [1_700_000_000.0]
    with Sandbox(clock=lambda: time[0]) as sandbox:
        owner = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        item_id = create(owner, sandbox)
        time[0] += 60
        update(owner, item_id)
        item = get(owner, item_id)
        assert (item.created_at.seconds, item.updated_at.seconds) == (1_700_000_000, 1_700_000_060)
        owner.channel.close()


def test_metadata_of_a_module_is_checked_and_its_documentation_shown_on_demand(sandbox, owner):
    item_id = create(owner, sandbox, type=MODULE)
    model = {"api": "rdk:component:camera", "model": "acme:cameras:thermal", "markdown_documentation": "# M"}
    module = {"models": [model], "entrypoint": "run.sh", "language": 2, "source_type": 1}
    update(owner, item_id, type=MODULE, update_module_metadata=module, markdown_description="# Hi")
    metadata = get(owner, item_id).module_metadata
    assert (metadata.entrypoint, metadata.language, metadata.models[0].model) == ("run.sh", 2, "acme:cameras:thermal")
    assert not metadata.HasField("markdown_description")
    assert not metadata.models[0].HasField("markdown_documentation")
    metadata = get(owner, item_id, include_markdown_documentation=True).module_metadata
    assert (metadata.markdown_description, metadata.models[0].markdown_documentation) == ("# Hi", "# M")
    with refused("INVALID_ARGUMENT", "The entrypoint of the module is empty"):
        update(owner, item_id, type=MODULE, update_module_metadata={})
    with refused("INVALID_ARGUMENT", "'Acme' cannot be the model of a model"):
        update(
            owner,
            item_id,
            type=MODULE,
            update_module_metadata={"entrypoint": "e", "models": [{**model, "model": "Acme"}]},
        )


def test_an_update_of_another_type_or_without_a_visibility_is_refused(sandbox, owner):
    item_id = create(owner, sandbox)
    with refused("INVALID_ARGUMENT", "is a training script and cannot become a module"):
        update(owner, item_id, type=MODULE)
    with refused("INVALID_ARGUMENT", "update_module_metadata is not for a training script"):
        update(owner, item_id, update_module_metadata={"entrypoint": "run.sh"})
    for visibility in (0, 77):
        with refused("INVALID_ARGUMENT", "The visibility is not given or not known"):
            update(owner, item_id, visibility=visibility)


def test_public_items_need_a_namespace(sandbox, owner, stranger):
    item_id = create(owner, sandbox)
    for visibility in (PUBLIC, UNLISTED):
        with refused("FAILED_PRECONDITION", "has no public namespace, which public items need"):
            update(owner, item_id, visibility=visibility)
    with refused("PERMISSION_DENIED", "read_private_registry_item"):
        get(stranger, item_id)
    with_namespace(owner, sandbox.organization_id)
    for visibility in (PUBLIC, UNLISTED):
        update(owner, item_id, visibility=visibility)
        assert get(stranger, item_id).visibility == visibility


def test_an_item_that_others_use_stays_public(sandbox, owner, stranger):
    item_id = train(sandbox)
    with_namespace(owner, sandbox.organization_id)
    update(owner, item_id, type=ML_MODEL, visibility=PUBLIC)
    part_id = use(stranger, stranger.location_id, {"packages": [{"package": "lessons/model"}]})
    item = get(owner, item_id)
    assert (item.total_robot_usage, item.total_external_robot_usage) == (1, 1)
    assert (item.total_organization_usage, item.total_external_organization_usage) == (1, 1)
    with refused("FAILED_PRECONDITION", "1 other organizations use 'lessons:model', so it has to stay public"):
        update(owner, item_id, type=ML_MODEL, visibility=PRIVATE)
    update(owner, item_id, type=ML_MODEL, visibility=UNLISTED)
    stranger.DeleteRobot(id=stranger.GetRobotPart(id=part_id).part.robot)
    update(owner, item_id, type=ML_MODEL, visibility=PRIVATE)


def test_an_item_that_a_machine_uses_cannot_be_deleted_under_any_of_its_names(sandbox, owner):
    item_id = create(owner, sandbox, type=MODULE)
    part_id = use(owner, sandbox.location_id, {"modules": [{"module_id": item_id}]})
    with_namespace(owner, sandbox.organization_id)
    with refused("FAILED_PRECONDITION", "1 machines use 'lessons:reader'"):
        owner.DeleteRegistryItem(item_id=item_id)
    fragment = owner.CreateFragment(
        organization_id=sandbox.organization_id, name="f", config={"modules": [{"module_id": "lessons:reader"}]}
    ).fragment
    owner.UpdateRobotPart(id=part_id, name="user-main", robot_config={"fragments": [{"id": fragment.id}]})
    with refused("FAILED_PRECONDITION", "1 machines use 'lessons:reader'"):
        owner.DeleteRegistryItem(item_id=item_id)
    item = get(owner, item_id)
    assert (item.total_robot_usage, item.total_external_robot_usage, item.total_organization_usage) == (1, 0, 1)
    owner.UpdateRobotPart(id=part_id, name="user-main", robot_config={})
    owner.DeleteRegistryItem(item_id=item_id)


def test_the_name_of_a_deleted_item_is_not_free_again(sandbox, owner):
    item_id = create(owner, sandbox)
    owner.DeleteRegistryItem(item_id=item_id)
    with refused("NOT_FOUND"):
        get(owner, item_id)
    with refused("ALREADY_EXISTS", "that of a deleted item is not free again"):
        create(owner, sandbox)
    with refused("ALREADY_EXISTS", "had a registry item named 'reader'"):
        owner.CreateModule(organization_id=sandbox.organization_id, name="reader")
    assert names(owner, organization_id=sandbox.organization_id) == ["soil-sensor"]


def test_a_trained_model_gets_one_version_after_the_other(sandbox, owner):
    item_id = train(sandbox, version="first", type=1, framework=2)
    assert train(sandbox, version="second") == item_id == f"{sandbox.organization_id}:model"
    metadata = get(owner, item_id).ml_model_metadata
    assert list(metadata.versions) == ["first", "second"]
    assert [each.version for each in metadata.detailed_versions] == ["first", "second"]
    assert metadata.detailed_versions[0].created_on.seconds
    assert (metadata.model_type, metadata.model_framework) == (1, 2)
    with pytest.raises(CallError, match="has the version 'second' already"):
        train(sandbox, version="second")
    with pytest.raises(CallError, match="has a module named 'soil-sensor'"):
        train(sandbox, "soil-sensor")


def test_lists_have_ones_own_items_and_the_public_ones_of_all(sandbox, owner, stranger):
    with_namespace(owner, sandbox.organization_id)
    for name, visibility in (("private", PRIVATE), ("public", PUBLIC), ("unlisted", UNLISTED)):
        update(owner, create(owner, sandbox, name), visibility=visibility)
    own = ["private", "public", "soil-sensor", "unlisted"]
    assert names(owner, organization_id=sandbox.organization_id) == own
    assert names(stranger, organization_id=stranger.organization_id) == ["public"]
    assert names(stranger) == names(stranger, organization_id="") == ["public"]
    assert names(owner) == names(owner, organization_id="") == own
    with refused("PERMISSION_DENIED", "You have no role in the organization"):
        names(stranger, organization_id=sandbox.organization_id)
    with refused("NOT_FOUND"):
        names(owner, organization_id=NOTHING)


def test_each_filter_narrows_a_list(sandbox, owner):
    with_namespace(owner, sandbox.organization_id)
    train(sandbox, "model")
    update(owner, create(owner, sandbox, "script"), visibility=PUBLIC, description="Reads Gauges")

    def listed(**fields):
        return names(owner, organization_id=sandbox.organization_id, **fields)

    assert listed(types=[]) == ["model", "script", "soil-sensor"]
    assert listed(types=[ML_MODEL, ML_TRAINING]) == ["model", "script"]
    assert listed(visibilities=[PUBLIC, UNLISTED]) == ["script"]
    assert listed(statuses=[PUBLISHED]) == ["model"]
    assert listed(statuses=[IN_DEVELOPMENT]) == ["script", "soil-sensor"]
    assert listed(search_term="GAUGES") == ["script"]
    assert listed(search_term="lessons:S") == ["script", "soil-sensor"]
    assert listed(search_term="") == ["model", "script", "soil-sensor"]
    assert listed(public_namespaces=["elsewhere"]) == []
    assert listed(public_namespaces=["lessons"], types=[MODULE]) == ["soil-sensor"]
    assert listed(types=[0, 77, -1], statuses=[77], visibilities=[77]) == []
    owner.UpdateRegistryItem(
        item_id="soil-sensor",
        type=MODULE,
        visibility=PRIVATE,
        update_module_metadata={"entrypoint": "run.sh", "language": 2, "source_type": 1},
    )
    assert listed(module_languages=[2], module_source_types=[1]) == ["soil-sensor"]
    assert listed(module_languages=[1]) == []
    assert listed(module_source_types=[2]) == []


def test_a_list_comes_in_pages_of_50_each_after_the_last_id_of_the_page_before(sandbox, owner):
    for number in range(60):
        create(owner, sandbox, f"item-{number:02}")
    first = owner.ListRegistryItems(organization_id=sandbox.organization_id).items
    assert len(first) == 50
    rest = names(owner, organization_id=sandbox.organization_id, page_token=first[-1].item_id)
    assert [*(item.name for item in first), *rest] == [*(f"item-{number:02}" for number in range(60)), "soil-sensor"]
    with_namespace(owner, sandbox.organization_id)
    assert names(owner, organization_id=sandbox.organization_id, page_token=first[-1].item_id) == rest
    owner.DeleteRegistryItem(item_id="item-49")
    assert names(owner, organization_id=sandbox.organization_id, page_token=first[-1].item_id) == rest
    assert names(owner, organization_id=sandbox.organization_id, page_token="lessons:soil-sensor") == []
    assert len(names(owner, organization_id=sandbox.organization_id, page_token="")) == 50
    with refused("INVALID_ARGUMENT", "The page token is none of this call"):
        names(owner, organization_id=sandbox.organization_id, page_token="50")


def test_a_deprecated_item_is_hidden_from_searches_and_still_there(sandbox, owner, stranger):
    with_namespace(owner, sandbox.organization_id)
    item_id = create(owner, sandbox)
    update(owner, item_id, visibility=PUBLIC)
    owner.DeprecateRegistryItem(item_id=item_id, message="Use writer.")
    assert get(stranger, item_id).deprecated_status.message == "Use writer."
    assert get(stranger, item_id).deprecated_status.deprecated_at.seconds
    assert names(stranger, show_owned_deprecated=True) == []
    assert names(owner) == ["soil-sensor"]
    assert names(owner, show_owned_deprecated=True) == ["reader", "soil-sensor"]
    owner.UndeprecateRegistryItem(item_id=item_id)
    owner.UndeprecateRegistryItem(item_id=item_id)
    assert names(stranger) == ["reader"]
    assert not get(owner, item_id).HasField("deprecated_status")


def test_only_owners_of_the_organization_change_its_items(sandbox, owner, stranger, caller_with):
    item_id = create(owner, sandbox)
    operator = caller_with("operator", "organization", sandbox.organization_id)
    others = [stranger, operator, caller_with("owner", "location", sandbox.location_id)]

    def all_are_refused(permission):
        for other in others:
            with refused("PERMISSION_DENIED", permission):
                update(other, item_id)
            for rpc in ("DeleteRegistryItem", "DeprecateRegistryItem", "UndeprecateRegistryItem"):
                with refused("PERMISSION_DENIED", permission):
                    getattr(other, rpc)(item_id=item_id)
            with refused("PERMISSION_DENIED", permission):
                other.DeprecateRegistryItemVersion(item_id=item_id, version="1")

    all_are_refused("write_private_registry_item")
    for other in others:
        with refused("PERMISSION_DENIED", "read_private_registry_item"):
            get(other, item_id)
        with refused("PERMISSION_DENIED", "write_private_registry_item"):
            create(other, sandbox, "mine")
    assert names(operator, organization_id=sandbox.organization_id) == []
    with_namespace(owner, sandbox.organization_id)
    update(owner, item_id, visibility=PUBLIC)
    all_are_refused("write_public_registry_item")


def test_items_are_there_after_a_restart(tmp_path):
    with Sandbox(tmp_path) as sandbox:
        owner = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        item_id = create(owner, sandbox)
        update(owner, item_id, description="Kept")
        item = get(owner, item_id)
        train(sandbox)
        owner.channel.close()
    with Sandbox(tmp_path) as sandbox:
        owner = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        assert get(owner, item_id) == item
        assert list(get(owner, "model").ml_model_metadata.versions) == ["1"]
        owner.channel.close()
