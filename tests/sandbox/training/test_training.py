import pytest

from sandbox.calls import Caller, call, refused
from viam_sync.app.viam_client import ViamClient
from viam_sync.proto.app.mltraining import ModelType, TrainingStatus
from viam_sync.proto.app.packages import PackageType
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.registry.items import create_item

TRAINING = "viam.app.mltraining.v1.MLTrainingService"
NOTHING = "0" * 24
NOBODY = "00000000-0000-4000-8000-000000000000"
START = 1_700_000_000
DETECTION = ModelType.MODEL_TYPE_OBJECT_DETECTION
CLASSIFICATION = ModelType.MODEL_TYPE_SINGLE_LABEL_CLASSIFICATION


def train(caller, rpc, **fields):
    return call(caller.channel, rpc, TRAINING, caller.metadata, **fields)


def submit(caller, dataset_id, rpc="SubmitTrainingJob", **fields):
    given = {"organization_id": caller.sandbox.organization_id, "dataset_id": dataset_id, "model_name": "cats"}
    kind = {"model_type": DETECTION} if rpc == "SubmitTrainingJob" else {}
    return train(caller, rpc, **{**given, "model_version": "v1", **kind, **fields}).id


def job(caller, id):
    return train(caller, "GetTrainingJob", id=id).metadata


def state(caller, id):
    return TrainingStatus.Name(job(caller, id).status)[len("TRAINING_STATUS_") :]


def make_dataset(sandbox, images=1, tags=(), boxes=(), organization_id=None):
    """Make a dataset of images, each with the same tags and boxes, and return its ID."""
    world = sandbox._world
    store, organization_id = world.store, organization_id or sandbox.organization_id
    with store.transaction():
        dataset_id = world.ids.object()
        store.insert("datasets", id=dataset_id, organization_id=organization_id, name=dataset_id, body=b"")
        texts = ("location_id", "robot_id", "robot_name", "part_id", "part_name", "component_type", "component_name")
        told = dict.fromkeys((*texts, "method", "mime_type"), "")
        store.insert("captures", body=dataset_id.encode(), organization_id=organization_id, **told)
        capture_id = store.row("SELECT max(id) AS id FROM captures")["id"]
        for _ in range(images):
            times = {"requested": world.microseconds(), "received": world.microseconds()}
            store.insert("files", file_id=world.ids.file(), capture_id=capture_id, size=1, body=b"", **times)
            file = store.row("SELECT max(id) AS id FROM files")["id"]
            store.insert("dataset_files", dataset_id=dataset_id, file=file)
            for tag in tags:
                store.insert("file_tags", file=file, tag=tag)
            for label in boxes:
                store.insert("boxes", id=world.ids.object(), file=file, label=label, body=b"")
    return dataset_id


def make_script(sandbox, *versions, name="script", type=PackageType.PACKAGE_TYPE_ML_TRAINING, organization_id=None):
    """Make an item of the registry with versions, and return its ID."""
    world = sandbox._world
    with world.store.transaction():
        row = create_item(world, organization_id or sandbox.organization_id, name, type)
        for version in versions:
            world.store.insert("item_versions", item=row["id"], version=version, created=world.microseconds())
    return row["item_id"]


@pytest.fixture
def sandbox(start):
    """Provide a sandbox whose clock stands still unless it is advanced."""
    return start(seed=1, clock=lambda: START)


@pytest.fixture
def dataset_id(sandbox):
    return make_dataset(sandbox)


def test_a_job_moves_through_its_states_by_the_clock(sandbox, owner, dataset_id):
    id = submit(owner, dataset_id, tags=["cat", "dog"])
    pending = job(owner, id)
    assert len(id) == 24
    assert state(owner, id) == "PENDING"
    assert (pending.created_on.seconds, pending.last_modified.seconds) == (START, START)
    assert not pending.HasField("training_started")
    sandbox.advance(10)
    running = job(owner, id)
    assert state(owner, id) == "IN_PROGRESS"
    assert (running.training_started.seconds, running.last_modified.seconds) == (START + 10, START + 10)
    assert not running.HasField("training_ended")
    assert not running.synced_model_id
    sandbox.advance(60)
    done = job(owner, id)
    assert state(owner, id) == "COMPLETED"
    assert (done.training_ended.seconds, done.last_modified.seconds) == (START + 70, START + 70)
    assert (done.model_name, done.model_version, done.model_type, list(done.tags)) == (
        "cats",
        "v1",
        DETECTION,
        ["cat", "dog"],
    )
    assert not done.HasField("error_status")
    assert done.synced_model_id == f"{sandbox.organization_id}:cats"


def test_times_are_those_of_the_schedule_however_late_one_looks(sandbox, owner, dataset_id):
    id = submit(owner, dataset_id)
    sandbox.advance(100_000)
    done = job(owner, id)
    assert (done.training_started.seconds, done.training_ended.seconds) == (START + 10, START + 70)


def test_the_model_of_a_completed_job_is_in_the_registry(sandbox, owner, dataset_id):
    for version in ("v1", "v2"):
        submit(owner, dataset_id, model_version=version)
        sandbox.advance(70)
    rows = sandbox._world.store.rows(
        "SELECT r.item_id, v.version FROM registry r JOIN item_versions v ON v.item = r.id"
    )
    assert [tuple(row) for row in rows] == [(f"{sandbox.organization_id}:cats", version) for version in ("v1", "v2")]


def test_its_prefix_is_the_namespace_that_the_organization_has_when_it_completes(sandbox, owner, dataset_id):
    id = submit(owner, dataset_id)
    owner.UpdateOrganization(organization_id=sandbox.organization_id, public_namespace="lessons")
    sandbox.advance(70)
    assert job(owner, id).synced_model_id == "lessons:cats"


def test_a_job_on_an_empty_dataset_fails_and_says_why(sandbox, owner):
    id = submit(owner, make_dataset(sandbox, images=0))
    sandbox.advance(10)
    assert state(owner, id) == "IN_PROGRESS"
    sandbox.advance(60)
    failed = job(owner, id)
    assert state(owner, id) == "FAILED"
    assert (failed.error_status.code, failed.training_ended.seconds) == (9, START + 70)
    assert "was empty" in failed.error_status.message
    assert not failed.synced_model_id


def test_a_job_whose_name_was_taken_while_it_ran_fails(sandbox, owner, dataset_id):
    id = submit(owner, dataset_id)
    make_script(sandbox, name="cats")
    sandbox.advance(70)
    assert "named 'cats'" in job(owner, id).error_status.message
    assert state(owner, id) == "FAILED"


@pytest.mark.parametrize("after", [0, 10], ids=["waiting", "running"])
def test_a_job_is_canceled_after_a_while(sandbox, owner, dataset_id, after):
    id = submit(owner, dataset_id)
    sandbox.advance(after)
    train(owner, "CancelTrainingJob", id=id)
    assert state(owner, id) == "CANCELING"
    train(owner, "CancelTrainingJob", id=id)
    sandbox.advance(5)
    canceled = job(owner, id)
    assert state(owner, id) == "CANCELED"
    assert canceled.training_ended.seconds == START + after + 5
    assert canceled.HasField("training_started") == bool(after)


def test_a_job_that_is_over_cannot_be_canceled_and_one_that_is_not_cannot_be_deleted(sandbox, owner, dataset_id):
    id = submit(owner, dataset_id)
    for seconds in (0, 10):
        sandbox.advance(seconds)
        with refused("FAILED_PRECONDITION", "is not over"):
            train(owner, "DeleteCompletedTrainingJob", id=id)
    sandbox.advance(60)
    with refused("FAILED_PRECONDITION", "is over: TRAINING_STATUS_COMPLETED"):
        train(owner, "CancelTrainingJob", id=id)
    train(owner, "DeleteCompletedTrainingJob", id=id)
    for rpc in ("GetTrainingJob", "CancelTrainingJob", "DeleteCompletedTrainingJob", "GetTrainingJobLogs"):
        with refused("NOT_FOUND", f"No training job has the ID '{id}'; list_training_jobs shows"):
            train(owner, rpc, id=id)
        with refused("INVALID_ARGUMENT", "'job' is no training job ID, which is 24 hexadecimal digits"):
            train(owner, rpc, id="job")
        with refused("INVALID_ARGUMENT", "ID is empty"):
            train(owner, rpc)


def test_jobs_are_listed_newest_first_and_by_state(sandbox, owner, dataset_id):
    first = submit(owner, dataset_id)
    second = submit(owner, dataset_id, model_version="v2")
    sandbox.advance(70)
    third = submit(owner, dataset_id, model_version="v3")

    def listed(**fields):
        return [each.id for each in train(owner, "ListTrainingJobs", **fields).jobs]

    assert listed(organization_id=sandbox.organization_id) == [third, second, first]
    assert listed(organization_id=sandbox.organization_id, status="TRAINING_STATUS_COMPLETED") == [second, first]
    assert listed(organization_id=sandbox.organization_id, status="TRAINING_STATUS_FAILED") == []
    with refused("INVALID_ARGUMENT", "status is 99, which is none of TRAINING_STATUS_UNSPECIFIED"):
        listed(organization_id=sandbox.organization_id, status=99)
    with refused("NOT_FOUND"):
        listed(organization_id=NOBODY)


def test_a_model_name_and_version_are_new_together(sandbox, owner, dataset_id):
    submit(owner, dataset_id)
    with refused("ALREADY_EXISTS", "The model 'cats' has a version 'v1' already"):
        submit(owner, dataset_id)
    submit(owner, dataset_id, model_version="v2")
    submit(owner, dataset_id, model_name="dogs")
    submit(owner, dataset_id, model_version="\0" * 100_000)
    with refused("ALREADY_EXISTS"):
        submit(owner, dataset_id, model_version="\0" * 100_000)
    sandbox.advance(70)
    with refused("ALREADY_EXISTS"):
        submit(owner, dataset_id)
    for each in train(owner, "ListTrainingJobs", organization_id=sandbox.organization_id).jobs:
        train(owner, "DeleteCompletedTrainingJob", id=each.id)
    with refused("ALREADY_EXISTS"):
        submit(owner, dataset_id)


def test_the_version_of_a_job_that_failed_or_was_canceled_is_free_again(sandbox, owner, dataset_id):
    submit(owner, make_dataset(sandbox, images=0))
    sandbox.advance(70)
    canceled = submit(owner, dataset_id)
    train(owner, "CancelTrainingJob", id=canceled)
    id = submit(owner, dataset_id)
    sandbox.advance(70)
    assert state(owner, id) == "COMPLETED"


def test_a_name_that_the_registry_has_for_something_else_is_taken(sandbox, owner, dataset_id):
    make_script(sandbox, name="cats")
    with refused("ALREADY_EXISTS", "that of something else in the registry"):
        submit(owner, dataset_id)


def test_without_a_version_the_time_is_one(owner, dataset_id):
    assert job(owner, submit(owner, dataset_id, model_version="")).model_version == "2023-11-14T22-13-20"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"model_type": 0}, "model_type is not given"),
        ({"model_type": 7}, "model_type is 7, which is none of"),
        ({"model_framework": -1}, "model_framework is -1"),
        ({"model_name": ""}, "The name of the model is empty"),
        ({"model_name": "a:b"}, "cannot be the name of a model"),
        ({"model_name": "\0"}, "cannot be the name of a model"),
        ({"dataset_id": "cats"}, "'cats' is no dataset ID, which is 24 hexadecimal digits"),
        ({"dataset_id": "a" * 10}, "is no dataset ID"),
        ({"dataset_id": ""}, "The dataset ID is empty"),
        ({"organization_id": "org"}, "'org' is no organization ID"),
    ],
)
def test_a_submission_that_makes_no_sense_is_refused(owner, dataset_id, fields, text):
    with refused("INVALID_ARGUMENT", text):
        submit(owner, **{"dataset_id": dataset_id, **fields})


def test_a_dataset_or_organization_that_does_not_exist_is_not_found(sandbox, owner, dataset_id, stranger):
    with refused("NOT_FOUND", f"No dataset has the ID '{NOTHING}'; list_datasets_by_organization_id shows"):
        submit(owner, NOTHING)
    with refused("NOT_FOUND", "No organization has the ID"):
        submit(owner, dataset_id, organization_id=NOBODY)
    foreign = make_dataset(sandbox, organization_id=stranger.organization_id)
    with refused("NOT_FOUND", "The organization 'Lesson Robotics' has no dataset with the ID"):
        submit(owner, foreign)


def test_a_custom_job_runs_a_script_of_the_registry_in_its_latest_version(sandbox, owner, dataset_id):
    script = make_script(sandbox, "2.0.0", "1.9.9")
    arguments = {"epochs": "3", "": "\0"}
    id = submit(owner, dataset_id, "SubmitCustomTrainingJob", registry_item_id=script, arguments=arguments)
    made = job(owner, id)
    assert (made.is_custom_job, made.registry_item_id, made.registry_item_version) == (True, script, "1.9.9")
    assert dict(made.arguments) == arguments
    chosen = {"registry_item_version": "2.0.0", "container_id": "c", "container_version": "old", "model_version": "v2"}
    made = job(owner, submit(owner, dataset_id, "SubmitCustomTrainingJob", registry_item_id=script, **chosen))
    assert (made.registry_item_version, made.container_id, made.container_version) == ("2.0.0", "c", "old")
    sandbox.advance(70)
    assert job(owner, id).synced_model_id == f"{sandbox.organization_id}:cats"


def test_a_script_of_which_no_version_was_uploaded_will_do(sandbox, owner, dataset_id):
    script = make_script(sandbox)
    for version in ("", "1.0.0"):
        given = {"registry_item_version": version, "model_name": f"model{version}"}
        id = submit(owner, dataset_id, "SubmitCustomTrainingJob", registry_item_id=script, **given)
        assert job(owner, id).registry_item_version == version


def test_a_custom_job_takes_a_training_script_that_exists_and_may_be_seen(sandbox, dataset_id, stranger, caller_with):
    owner = caller_with("owner", "organization", sandbox.organization_id)

    def custom(item_id, **fields):
        submit(owner, dataset_id, "SubmitCustomTrainingJob", registry_item_id=item_id, **fields)

    with refused("NOT_FOUND", "No registry item has the ID"):
        custom(f"{sandbox.organization_id}:nothing")
    with refused("INVALID_ARGUMENT", "is no registry item ID"):
        custom("")
    with refused("INVALID_ARGUMENT", "is no training script"):
        custom(make_script(sandbox, name="module", type=PackageType.PACKAGE_TYPE_MODULE))
    with refused("NOT_FOUND", "has no version '9'; its latest is '1'"):
        custom(make_script(sandbox, "1"), registry_item_version="9")
    with refused("PERMISSION_DENIED", "read_private_registry_item"):
        custom(make_script(sandbox, organization_id=stranger.organization_id))


@pytest.mark.parametrize("level", ["organization", "location", "robot"])
def test_an_operator_neither_trains_nor_looks(sandbox, owner, caller_with, dataset_id, level):
    id = submit(owner, dataset_id)
    script = make_script(sandbox)
    operator = caller_with("operator", level, getattr(sandbox, f"{level}_id"))
    with refused("PERMISSION_DENIED", "train_models"):
        submit(operator, dataset_id)
    with refused("PERMISSION_DENIED", "train_models"):
        submit(operator, dataset_id, "SubmitCustomTrainingJob", registry_item_id=script)
    with refused("PERMISSION_DENIED", "train_models"):
        train(operator, "ListTrainingJobs", organization_id=sandbox.organization_id)
    for rpc in ("GetTrainingJob", "CancelTrainingJob", "DeleteCompletedTrainingJob", "GetTrainingJobLogs"):
        with refused("PERMISSION_DENIED", "train_models"):
            train(operator, rpc, id=id)


def test_the_owner_of_a_location_trains_and_one_of_a_machine_does_not(sandbox, caller_with, dataset_id):
    submit(caller_with("owner", "location", sandbox.location_id), dataset_id)
    with refused("PERMISSION_DENIED", "train_models"):
        submit(caller_with("owner", "robot", sandbox.robot_id), dataset_id)


def test_a_stranger_reaches_no_job(sandbox, owner, dataset_id, stranger):
    id = submit(owner, dataset_id)
    for rpc in ("GetTrainingJob", "CancelTrainingJob", "DeleteCompletedTrainingJob", "GetTrainingJobLogs"):
        with refused("PERMISSION_DENIED"):
            train(stranger, rpc, id=id)
    with refused("PERMISSION_DENIED"):
        submit(stranger, dataset_id)
    with refused("PERMISSION_DENIED"):
        train(stranger, "ListTrainingJobs", organization_id=sandbox.organization_id)


def test_a_job_logs_what_happens_to_it_for_a_week(sandbox, owner, dataset_id):
    done, failed = submit(owner, dataset_id), submit(owner, make_dataset(sandbox, images=0), model_name="none")
    canceled = submit(owner, dataset_id, model_name="dogs")
    train(owner, "CancelTrainingJob", id=canceled)

    def logged(id):
        response = train(owner, "GetTrainingJobLogs", id=id)
        assert response.next_page_token == ""
        return [(entry.level, entry.time.seconds - START, entry.message.split()[0]) for entry in response.logs]

    assert logged(done) == [("info", 0, "Queued:")]
    sandbox.advance(70)
    begun = [("info", 0, "Queued:"), ("info", 10, "Started")]
    assert logged(done) == [*begun, ("info", 70, "Completed;")]
    assert logged(failed) == [*begun, ("error", 70, "Failed:")]
    assert logged(canceled) == [begun[0], ("warn", 5, "Canceled.")]
    sandbox.advance(7 * 24 * 3600)
    assert len(logged(done)) == 3
    sandbox.advance(1)
    assert logged(done) == []
    with refused("INVALID_ARGUMENT", "The page token is none"):
        train(owner, "GetTrainingJobLogs", id=done, page_token="2")


def test_jobs_go_with_their_organization(sandbox, owner, stranger):
    id = submit(
        stranger,
        make_dataset(sandbox, organization_id=stranger.organization_id),
        organization_id=stranger.organization_id,
    )
    for location in stranger.ListLocations(organization_id=stranger.organization_id).locations:
        stranger.DeleteLocation(location_id=location.id)
    owner.DeleteOrganization(organization_id=stranger.organization_id)
    with refused("NOT_FOUND"):
        job(owner, id)


def test_a_job_does_not_need_its_dataset_once_it_is_submitted(sandbox, owner, dataset_id):
    id = submit(owner, dataset_id)
    with sandbox._world.store.transaction():
        sandbox._world.store.run("DELETE FROM datasets")
    sandbox.advance(70)
    assert state(owner, id) == "COMPLETED"


def test_a_restart_neither_turns_the_clock_back_nor_forgets_jobs(tmp_path):
    time = [START]
    with Sandbox(tmp_path, clock=lambda: time[0]) as sandbox:
        owner = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        id = submit(owner, make_dataset(sandbox))
        sandbox.advance(9.5)
        owner.channel.close()
    with Sandbox(tmp_path, clock=lambda: time[0]) as sandbox:
        owner = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        assert state(owner, id) == "PENDING"
        time[0] += 0.5
        assert state(owner, id) == "IN_PROGRESS"
        sandbox.advance(60)
        assert job(owner, id).training_ended.seconds == START + 70
        owner.channel.close()


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), 1e300])
def test_the_clock_is_only_turned_forward_within_the_calendar(sandbox, owner, seconds):
    with pytest.raises(ValueError, match="turns forward only"):
        sandbox.advance(seconds)
    assert owner.CreateOrganization(name="Later").organization.created_on.seconds == START


def test_the_clock_of_a_sandbox_that_is_not_running_cannot_be_turned():
    with pytest.raises(RuntimeError, match="use `with"):
        Sandbox().advance(1)


def test_without_a_folder_a_new_start_begins_at_the_present():
    sandbox = Sandbox(clock=lambda: START)
    for _ in range(2):
        with sandbox:
            owner = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
            assert owner.CreateOrganization(name="Now").organization.created_on.seconds == START
            sandbox.advance(1000)
            owner.channel.close()


@pytest.fixture
def strict(start, owner_of):
    """Provide a sandbox that requires as much of datasets as the cloud, and its owner."""
    sandbox = start(dataset_minima=True)
    return sandbox, owner_of(sandbox)


@pytest.mark.parametrize(
    ("images", "model_type", "chosen", "text"),
    [
        (14, DETECTION, [], "it has 14 images, and a detector takes 15"),
        (9, CLASSIFICATION, [], "the label 'cat' has 9 examples, and takes 10"),
        (15, DETECTION, ["box a"], "it has 1 labels, and 2 are needed"),
        (15, DETECTION, ["box a", "cat"], "the label 'cat' has 0 examples"),
        (15, CLASSIFICATION, ["box a", "box b"], "0 of its 15 images are labelled, and 80% have to be"),
        (0, CLASSIFICATION, [], "it has 0 labels"),
    ],
)
def test_a_strict_sandbox_refuses_a_dataset_that_does_not_suffice(strict, images, model_type, chosen, text):
    sandbox, owner = strict
    dataset_id = make_dataset(sandbox, images, tags=["cat", "dog"], boxes=["box a", "box b"])
    with refused("FAILED_PRECONDITION", text):
        submit(owner, dataset_id, model_type=model_type, tags=chosen)


def test_a_strict_sandbox_takes_a_dataset_that_suffices(strict):
    sandbox, owner = strict
    dataset_id = make_dataset(sandbox, 15, tags=["cat", "dog"], boxes=["box a", "box b"])
    submit(owner, dataset_id)
    submit(owner, dataset_id, model_name="tags", model_type=CLASSIFICATION, tags=["cat", "dog"])


def test_the_real_client_trains_a_model(sandbox, dataset_id):
    script = make_script(sandbox)
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        training, org_id = client.ml_training_client, sandbox.organization_id
        first = training.submit_training_job(org_id, dataset_id, "cats", "v1", DETECTION, ["cat"])
        second = training.submit_custom_training_job(org_id, dataset_id, script, "dogs", "v1")
        training.cancel_training_job(second)
        sandbox.advance(70)
        assert training.get_training_job(first).status == TrainingStatus.TRAINING_STATUS_COMPLETED
        canceled = training.list_training_jobs(org_id, TrainingStatus.TRAINING_STATUS_CANCELED)
        assert [each.id for each in canceled] == [second]
        logs, token = training.get_training_job_logs(first)
        assert (len(logs), token) == (3, "")
        training.delete_completed_training_job(first)
        assert [each.id for each in training.list_training_jobs(org_id)] == [second]
