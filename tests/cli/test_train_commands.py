"""``train``: jobs that are submitted, followed until they end, and canceled; each ends as its job does."""

import json
import time
from typing import Any, Dict, Iterator, List

import pytest
from command_line import Terminal, in_pipe, in_terminal

from viam_sync import ViamClient
from viam_sync.proto.app import MLTrainingMetadata, MLTrainingVersion, RegistryItem
from viam_sync.proto.app.mltraining import ModelType, TrainingJobMetadata
from viam_sync.proto.app.packages import PackageType
from viam_sync.sandbox import Sandbox

pytest.importorskip("click", reason="tox -e cli has it")
pytest.importorskip("rich", reason="tox -e cli has it")
pytest.importorskip("pty", reason="terminals are those of Unix")

DETECTION = ("--type", "object-detection")
#: Long enough for a job to end, in seconds.
LONG = 100
QUICKLY = ("--follow", "--interval", "0.1")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox in which no time goes by but what a test advances it by, so that no job goes on by itself."""
    now = time.time()
    with Sandbox(clock=lambda: now) as running:
        yield running


def lines_of(command: str, settings: Dict[str, str]) -> List[Any]:
    """Return what a command prints as JSON."""
    ended = in_pipe([*command.split(), "--json"], settings)
    assert ended.status == 0, ended.errors
    return [json.loads(line) for line in ended.out.splitlines()]


def submit(sandbox: Sandbox, client: ViamClient, model: str = "plants", version: str = "1", dataset: str = "") -> str:
    kind = ModelType.MODEL_TYPE_OBJECT_DETECTION
    return client.ml_training_client.submit_training_job(
        sandbox.organization_id, dataset or sandbox.dataset_id, model, version, kind, []
    )


def add_script(client: ViamClient, organization_id: str) -> None:
    client.app_client.create_registry_item(organization_id, "my-script", PackageType.PACKAGE_TYPE_ML_TRAINING)


@pytest.mark.parametrize("width", [60, 120])
def test_a_job_is_submitted_on_a_terminal(width: int, settings: Dict[str, str]) -> None:
    ended = in_terminal(["train", "submit", "tomatoes", "plants", *DETECTION], settings, width)
    assert ended.status == 0
    assert "pending" in ended.out
    assert max(map(len, ended.lines)) <= width


def test_a_job_of_a_type_is_submitted_with_labels_and_listed(
    sandbox: Sandbox, client: ViamClient, settings: Dict[str, str]
) -> None:
    chosen = "--label ripe --tag unripe --framework tflite --model-version 7"
    (job,) = lines_of(f"train submit tomatoes plants --type multi-label-classification {chosen}", settings)
    kept = client.ml_training_client.get_training_job(job["id"])
    assert (kept.dataset_id, kept.model_name, kept.model_version) == (sandbox.dataset_id, "plants", "7")
    assert (list(kept.tags), kept.model_type, kept.model_framework) == (["ripe", "unripe"], 2, 1)
    other = client.data_client.create_dataset("other", sandbox.organization_id)
    for options, listed in (("", [job]), ("tomatoes", [job]), (other, []), ("--status pending", [job])):
        assert lines_of(f"train ls {options}", settings) == listed
    assert lines_of("train ls tomatoes --status failed", settings) == []
    (line,) = in_pipe(["train", "ls"], settings).lines
    words = ["plants", job["id"], "pending", "7", "tomatoes", "multi-label-classification"]
    assert line.split("\t")[:6] == words


def test_a_job_with_a_script_of_the_registry_is_submitted_by_its_name(
    sandbox: Sandbox, client: ViamClient, settings: Dict[str, str]
) -> None:
    add_script(client, sandbox.organization_id)
    chosen = "--script my-script --script-version 3 --argument epochs=10 --argument note=a=b --container c-1"
    (job,) = lines_of(f"train submit {sandbox.dataset_id} plants {chosen}", settings)
    kept = client.ml_training_client.get_training_job(job["id"])
    assert (kept.registry_item_id, kept.registry_item_version, kept.container_id) == (
        f"{sandbox.organization_id}:my-script",
        "3",
        "c-1",
    )
    assert dict(kept.arguments) == {"epochs": "10", "note": "a=b"}


def test_a_script_whose_name_several_have_is_given_by_its_id(
    sandbox: Sandbox, client: ViamClient, settings: Dict[str, str]
) -> None:
    ids = [sandbox.organization_id, client.app_client.create_organization("Others").id]
    for id in ids:
        add_script(client, id)
    ended = in_pipe(["train", "submit", "tomatoes", "plants", "--script", "my-script"], settings)
    assert ended.status == 1
    assert all(f"{id}:my-script" in ended.errors for id in ids)
    (job,) = lines_of(f"train submit tomatoes plants --script {ids[0]}:my-script", settings)
    assert job["registryItemId"] == f"{ids[0]}:my-script"


def test_the_latest_version_of_a_script_is_the_one_made_last() -> None:
    from viam_sync.cli.training import latest_version

    versions = [MLTrainingVersion(version=f"v{second}", created_on={"seconds": second}) for second in (1, 3, 2)]
    script = RegistryItem(ml_training_metadata=MLTrainingMetadata(versions=versions))
    assert (latest_version(script), latest_version(RegistryItem())) == ("v3", None)


def test_a_job_is_followed_from_its_submission_until_it_completes(sandbox: Sandbox, settings: Dict[str, str]) -> None:
    with Terminal(["train", "submit", "tomatoes", "plants", *DETECTION, *QUICKLY], settings) as terminal:
        terminal.read_until("plants is pending.")
        sandbox.advance(LONG)
        ended = terminal.end()
    assert ended.status == 0
    for words in ("Queued", "Completed", "plants is completed.", f"The model is {sandbox.organization_id}:plants."):
        assert "".join(ended.lines).count(words) == 1


def test_a_job_that_has_ended_is_followed_to_its_end(
    sandbox: Sandbox, client: ViamClient, settings: Dict[str, str]
) -> None:
    submit(sandbox, client)
    sandbox.advance(LONG)
    ended = in_pipe(["train", "logs", "plants", "--follow", "--json"], settings)
    assert ended.status == 0
    assert [json.loads(line)["message"].split()[0] for line in ended.lines] == ["Queued:", "Started", "Completed;"]
    assert ended.errors.splitlines()[0] == "plants is completed."


def test_following_a_job_that_fails_ends_with_its_error(
    sandbox: Sandbox, client: ViamClient, settings: Dict[str, str]
) -> None:
    empty = client.data_client.create_dataset("empty", sandbox.organization_id)
    job_id = submit(sandbox, client, dataset=empty)
    sandbox.advance(LONG)
    ended = in_pipe(["train", "logs", job_id, "--follow"], settings)
    assert ended.status == 1
    assert [line.split("\t")[1] for line in ended.lines] == ["info", "info", "error"]
    error = f"error: the training job plants ({job_id}) failed: The dataset '{empty}' was empty; add images.\n"
    assert ended.errors.endswith(error)
    assert in_pipe(["train", "logs", job_id], settings).status == 0


def test_a_job_is_canceled_and_following_it_ends_with_that(sandbox: Sandbox, settings: Dict[str, str]) -> None:
    with Terminal(["train", "submit", "tomatoes", "plants", *DETECTION, *QUICKLY], settings) as terminal:
        terminal.read_until("plants is pending.")
        canceled = in_pipe(["train", "cancel", "plants"], settings)
        terminal.read_until("plants is canceling.")
        sandbox.advance(LONG)
        ended = terminal.end()
    assert (canceled.status, canceled.out) == (0, "")
    assert canceled.errors.endswith("is being canceled.\n")
    assert ended.status == 1
    assert "was canceled" in ended.lines[-1]
    again = in_pipe(["train", "cancel", "plants"], settings)
    assert again.status == 1
    assert "FAILED_PRECONDITION" in again.errors


def test_control_c_ends_the_following_and_not_the_job(
    sandbox: Sandbox, client: ViamClient, settings: Dict[str, str]
) -> None:
    job_id = submit(sandbox, client)
    with Terminal(["train", "logs", "plants", "--follow"], settings) as terminal:
        terminal.read_until("plants is pending.")
        terminal.type("\x03")
        ended = terminal.end()
    assert ended.status == 130
    assert f"viam-sync train logs {job_id} --follow follows it" in "".join(ended.lines)
    assert "Traceback" not in ended.out
    sandbox.advance(LONG)
    assert client.ml_training_client.get_training_job(job_id).synced_model_id


def test_a_job_is_followed_through_an_outage(sandbox: Sandbox, client: ViamClient, settings: Dict[str, str]) -> None:
    submit(sandbox, client)
    with Terminal(["train", "logs", "plants", *QUICKLY], settings, width=300) as terminal:
        terminal.read_until("plants is pending.")
        outage = sandbox.faults.fail("GetTrainingJob", "UNAVAILABLE", times=None, pushback_ms=1)
        terminal.read_until("The cloud is not reached, and the job goes on; trying again.")
        sandbox.faults.clear(outage)
        sandbox.advance(LONG)
        ended = terminal.end()
    assert ended.status == 0
    assert ended.out.count("The cloud is not reached") == 1
    assert ended.out.count("Queued") == 1


def test_of_several_jobs_of_a_name_the_log_is_that_of_the_latest_and_none_is_canceled(
    sandbox: Sandbox, client: ViamClient, settings: Dict[str, str]
) -> None:
    ids = []
    for version in ("1", "2"):
        ids.append(submit(sandbox, client, version=version))
        sandbox.advance(1)
    (line,) = in_pipe(["train", "logs", "plants"], settings).lines
    assert "version '2'" in line
    ended = in_pipe(["train", "cancel", "plants"], settings)
    assert ended.status == 1
    assert all(id in ended.errors for id in ids)
    assert in_pipe(["train", "cancel", ids[0]], settings).status == 0
    assert in_pipe(["train", "cancel", "plants"], settings).status == 0
    jobs: List[TrainingJobMetadata] = client.ml_training_client.list_training_jobs(sandbox.organization_id)
    assert [job.status for job in jobs] == [6, 6]


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("", 2, "Usage: viam-sync train"),
        ("submit tomatoes plants", 2, "error: give --type, to train as Viam does, or --script,"),
        ("submit tomatoes plants --type object-detection --argument a=1", 2, "error: --argument goes with --script"),
        ("submit tomatoes plants --script x --label ripe", 2, "error: --label goes with --type"),
        ("submit tomatoes plants --script x --argument a", 2, "error: Invalid value for '--argument': 'a' is no"),
        ("submit tomatoes plants --script nix", 1, "error: there is no training script 'nix' in the registry;"),
        ("submit nix plants --type object-detection", 1, "error: there is no dataset 'nix'; viam-sync ls datasets"),
        ("logs nix", 1, "error: there is no job 'nix'; viam-sync ls jobs shows what there is"),
        ("cancel nix", 1, "error: there is no job 'nix'; viam-sync ls jobs shows what there is"),
    ],
)
def test_an_error_says_what_is_wrong(command: str, status: int, said: str, settings: Dict[str, str]) -> None:
    ended = in_pipe(["train", *command.split()], settings)
    assert (ended.status, ended.out) == (status, "")
    assert ended.errors.startswith(said)
