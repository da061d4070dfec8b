"""``train``: training jobs are submitted, listed, followed to their end, and canceled."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import click

import viam_sync
from viam_sync.app.app_client import PackageType, RegistryItem
from viam_sync.app.ml_training_client import (
    ModelFramework,
    ModelType,
    TrainingJobLogEntry,
    TrainingJobMetadata,
    TrainingStatus,
)
from viam_sync.cli.fleet_things import Fleet, Thing, ambiguous
from viam_sync.cli.frame import FramedGroup, Session, pass_session
from viam_sync.cli.log_lines import print_log_line
from viam_sync.cli.printing import Column, print_items, print_json, print_note
from viam_sync.display.cells import timestamp_text


def _words_of(enum: Any, prefix: str) -> Dict[str, Any]:
    """Return the values of an enum by what they are called on the command line."""
    return {name[len(prefix) :].lower().replace("_", "-"): value for name, value in enum.items() if value}


#: The kinds of models, by the words for them.
MODEL_TYPES = _words_of(ModelType, "MODEL_TYPE_")
_FRAMEWORKS = _words_of(ModelFramework, "MODEL_FRAMEWORK_")
_STATUSES = _words_of(TrainingStatus, "TRAINING_STATUS_")
_OVER = {_STATUSES[word] for word in ("completed", "failed", "canceled")}
_CANCELABLE = {_STATUSES[word] for word in ("pending", "in-progress")}
_STYLES = {"completed": "green", "failed": "red", "canceled": "yellow"}


def _word(words: Mapping[str, Any], value: int) -> str:
    return next((word for word, known in words.items() if known == value), "")


@click.group("train", cls=FramedGroup)
def train_command() -> None:
    """Submit training jobs, follow them, and cancel them."""


def _arguments(context: click.Context, option: click.Parameter, given: Sequence[str]) -> Dict[str, str]:
    """Return arguments such as ``epochs=10`` by their names."""
    for each in given:
        if not each.partition("=")[0] or "=" not in each:
            raise click.BadParameter(f"{each!r} is no argument such as epochs=10")
    return {name: value for name, _, value in (each.partition("=") for each in given)}


#: The labels to train on: tags for a classifier, and those of boxes for a detector.
label_option = click.option(
    "--label", "--tag", "labels", multiple=True, metavar="LABEL", help="Train on a label; again for more."
)
_interval_option = click.option(
    "--interval",
    type=click.FloatRange(0.1),
    metavar="SECONDS",
    default=5,
    help="How often a job that is followed is looked at; every 5 seconds by default.",
)


@train_command.command("submit")
@click.argument("dataset")
@click.argument("model")
@click.option("--type", "kind", type=click.Choice([*MODEL_TYPES]), help="Train a model of this type as Viam does.")
@label_option
@click.option("--framework", type=click.Choice([*_FRAMEWORKS]), help="The framework of the model.")
@click.option("--script", metavar="NAME", help="Train with a script of the registry, by its name or ID.")
@click.option("--script-version", metavar="VERSION", help="The version of the script; the latest by default.")
@click.option(
    "--argument",
    "arguments",
    multiple=True,
    callback=_arguments,
    metavar="NAME=VALUE",
    help="An argument for the script; again for more.",
)
@click.option("--container", metavar="ID", help="The ID of the container that it runs in.")
@click.option("--model-version", default="", metavar="VERSION", help="The version of the model; the time by default.")
@click.option("--follow", "-f", is_flag=True, help="Follow the job until it ends, and end as it did.")
@_interval_option
@pass_session
def _submit(session: Session, /, follow: bool, interval: float, **wanted: Any) -> None:
    """Train a MODEL on a DATASET, with --type or with --script.

    DATASET is a name or ID, and MODEL the name that the model gets in the registry. Without --label, all labels count.
    """
    _require_one_way(wanted)
    fleet = Fleet(session.client)
    dataset = fleet.find(wanted["dataset"], ["datasets"])
    submit = _submit_script if wanted["script"] else _submit_type
    job = session.client.ml_training_client.get_training_job(submit(session.client, dataset, wanted))
    _print_jobs([job], {dataset.id: dataset.name}, session.json)
    if follow:
        _follow(session, job, interval)


def _require_one_way(wanted: Mapping[str, Any]) -> None:
    """Require either a type or a script, and only what goes with it."""
    if bool(wanted["kind"]) == bool(wanted["script"]):
        raise click.UsageError("give --type, to train as Viam does, or --script, for a script of the registry")
    way = "--script" if wanted["kind"] else "--type"
    others = ("script_version", "arguments", "container") if wanted["kind"] else ("labels", "framework")
    for name in others:
        if wanted[name]:
            raise click.UsageError(f"--{name.rstrip('s').replace('_', '-')} goes with {way}")


def _submit_type(client: viam_sync.ViamClient, dataset: Thing, wanted: Mapping[str, Any]) -> str:
    return client.ml_training_client.submit_training_job(
        dataset.holders[0].id,
        dataset.id,
        wanted["model"],
        wanted["model_version"],
        MODEL_TYPES[wanted["kind"]],
        wanted["labels"],
        model_framework=_FRAMEWORKS.get(wanted["framework"]),
    )


def _submit_script(client: viam_sync.ViamClient, dataset: Thing, wanted: Mapping[str, Any]) -> str:
    script = _find_script(client, wanted["script"])
    return client.ml_training_client.submit_custom_training_job(
        dataset.holders[0].id,
        dataset.id,
        registry_item_id=script.item_id,
        model_name=wanted["model"],
        model_version=wanted["model_version"],
        registry_item_version=wanted["script_version"] or latest_version(script),
        arguments=wanted["arguments"],
        container_id=wanted["container"],
    )


def _find_script(client: viam_sync.ViamClient, name: str) -> RegistryItem:
    """Return a training script of the registry by its ID, or by its name where no other has that."""
    if ":" in name:
        return client.app_client.get_registry_item(name)
    kinds = [PackageType.PACKAGE_TYPE_ML_TRAINING]
    listed = client.app_client.list_registry_items(None, kinds, [], [], [], search_term=name)
    found = [Thing("scripts", each.item_id, each.item_id, each) for each in listed if each.name == name]
    if not found:
        raise click.ClickException(f"there is no training script {name!r} in the registry; give the ID, prefix:name")
    if len(found) > 1:
        raise ambiguous(name, found)
    item: RegistryItem = found[0].value
    return item


def latest_version(script: RegistryItem) -> Optional[str]:
    """Return the version of a training script that was made last; None if it has none."""
    versions = script.ml_training_metadata.versions
    latest = max(versions, key=lambda each: _moment(each.created_on), default=None)
    return None if latest is None else latest.version


@train_command.command("ls")
@click.argument("name", required=False)
@click.option("--status", type=click.Choice([*_STATUSES]), help="Only jobs in this state.")
@pass_session
def _ls(session: Session, name: Optional[str], status: Optional[str]) -> None:
    """List training jobs, the latest first.

    NAME is the name or ID of an organization or a dataset, for its own.
    """
    fleet = Fleet(session.client)
    holder = None if name is None else fleet.find(name, ["organizations", "datasets"])
    jobs = [
        job.value
        for job in _latest_first(fleet.things("jobs"))
        if (holder is None or job.is_in(holder) or job.value.dataset_id == holder.id)
        and (status is None or job.value.status == _STATUSES[status])
    ]
    datasets = {} if session.json else {thing.id: thing.name for thing in fleet.things("datasets")}
    _print_jobs(jobs, datasets, session.json)


def _latest_first(jobs: Sequence[Thing]) -> List[Thing]:
    return sorted(jobs, key=lambda job: _moment(job.value.created_on), reverse=True)


def _moment(time: Any) -> Tuple[int, int]:
    """Return what times are compared by, as messages of times cannot be."""
    return time.seconds, time.nanos


def _print_jobs(jobs: Sequence[TrainingJobMetadata], datasets: Mapping[str, str], as_json: bool) -> None:
    columns = [
        Column("name", lambda job: job.model_name),
        Column("id", lambda job: job.id),
        Column("status", _status, _STYLES),
        Column("version", lambda job: job.model_version),
        Column("dataset", lambda job: datasets.get(job.dataset_id, job.dataset_id)),
        Column("type", lambda job: job.registry_item_id or _word(MODEL_TYPES, job.model_type)),
        Column("created", lambda job: timestamp_text(job.created_on, None)),
        Column("ended", lambda job: timestamp_text(job.training_ended, None)),
    ]
    print_items(jobs, columns, as_json)


def _status(job: TrainingJobMetadata) -> str:
    return _word(_STATUSES, job.status).replace("-", " ")


@train_command.command("logs")
@click.argument("name")
@click.option("--follow", "-f", is_flag=True, help="Go on until the job ends, and end as it did.")
@_interval_option
@pass_session
def _logs(session: Session, name: str, follow: bool, interval: float) -> None:
    """Print the log of a training job, the oldest entry first.

    NAME is the ID of the job, or the name of its model, of which the latest job is taken. With --follow, the exit code
    is 0 if the job completes, and 1 if it fails or is canceled; Ctrl-C ends the following, and not the job.
    """
    job = _jobs_called(Fleet(session.client), name)[0].value
    if follow:
        _follow(session, job, interval)
    else:
        _Log(session, job.id).print_new()


def _jobs_called(fleet: Fleet, name: str) -> List[Thing]:
    """Return the jobs that a name or an ID means, the latest first."""
    found = [job for job in fleet.things("jobs") if job.is_called(name)]
    return _latest_first(found or [fleet.find(name, ["jobs"])])  # which says that there is none


class _Log:
    """The log of a job, of which each entry is printed once.

    It is read as a whole each time: nobody promises that a page of it stays as it was.
    """

    def __init__(self, session: Session, id: str) -> None:
        self._session = session
        self._id = id
        self._printed: Counter[Tuple[Any, ...]] = Counter()

    def print_new(self) -> None:
        """Print the entries that were not there before."""
        entries = list(self._session.client.ml_training_client.iter_training_job_logs(self._id))
        known = self._printed.copy()
        for entry in sorted(entries, key=lambda each: _moment(each.time)):
            identity = _moment(entry.time), entry.level, entry.message
            if known[identity]:
                known[identity] -= 1
                continue
            self._print(entry)
            self._printed[identity] += 1

    def _print(self, entry: TrainingJobLogEntry) -> None:
        if self._session.json:
            print_json(entry)
        else:
            print_log_line(timestamp_text(entry.time, None), entry.level, entry.message)


def _follow(session: Session, job: TrainingJobMetadata, interval: float) -> None:
    """Print the log of a job until it has ended.

    Raises:
        click.ClickException: If it has failed, or was canceled.
    """
    try:
        ended = _ended(session, job, interval)
    except KeyboardInterrupt:
        further = f"viam-sync train logs {job.id} --follow follows it, viam-sync train cancel {job.id} ends it"
        print_note(f"Interrupted. The job goes on; {further}.")
        raise
    called = f"the training job {job.model_name} ({job.id})"
    if ended.status == _STATUSES["failed"]:
        raise click.ClickException(f"{called} failed: {ended.error_status.message or 'nothing tells why'}")
    if ended.status == _STATUSES["canceled"]:
        raise click.ClickException(f"{called} was canceled")
    print_note(f"The model is {ended.synced_model_id}.")


def _ended(session: Session, job: TrainingJobMetadata, interval: float) -> TrainingJobMetadata:
    """Print the log of a job and its states, and return it once it has ended."""
    log = _Log(session, job.id)
    shown: Optional[int] = None
    reached = True
    while True:
        try:
            # The state is asked for first: the log of a job that has ended is all there.
            job = session.client.ml_training_client.get_training_job(job.id)
            log.print_new()
        except (viam_sync.UnavailableError, viam_sync.DeadlineExceededError) as error:
            if reached:
                print_note(f"The cloud is not reached, and the job goes on; trying again. {error}")
            reached = False
        else:
            reached = True
            if job.status != shown:
                print_note(f"{job.model_name} is {_status(job)}.")
            shown = job.status
            if shown in _OVER:
                return job
        time.sleep(interval)


@train_command.command("cancel")
@click.argument("name")
@pass_session
def _cancel(session: Session, name: str) -> None:
    """Cancel a training job, by its ID or the name of its model."""
    found = _jobs_called(Fleet(session.client), name)
    running = [job for job in found if job.value.status in _CANCELABLE]
    if len(running) > 1:
        raise ambiguous(name, running)
    # Of a job that is over, the service says so.
    job = (running or found)[0]
    session.client.ml_training_client.cancel_training_job(job.id)
    print_note(f"The training job {job.name} ({job.id}) is being canceled.")
