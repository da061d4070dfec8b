"""``dataset``: datasets are listed, made, renamed, deleted, exported, imported, and checked before training."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import List, Optional, Sequence

import click

import viam_sync
from viam_sync.app.data_client import DatasetType, create_filter
from viam_sync.checks import parameter_names
from viam_sync.cli.fleet_things import Fleet, Thing
from viam_sync.cli.frame import FramedGroup, Session, confirm, part_option, pass_session, yes_option
from viam_sync.cli.long_runs import durable_option, end_with, long_run, parallel_option
from viam_sync.cli.printing import Column, counted, print_items, print_json, print_note, print_record
from viam_sync.cli.training import MODEL_TYPES, label_option
from viam_sync.display.cells import timestamp_text
from viam_sync.errors import LabelsError

#: The formats of labels, as `export_dataset` and `import_dataset` take them.
FORMATS = ("viam", "coco", "yolo", "voc", "imagefolder")
#: How many datasets are counted at a time.
_AT_ONCE = 8
#: The way in which Python leaves something out of labels.
_IGNORE = re.compile(r"ignore=\['([^']*)'\]")
_SEQUENCES = DatasetType.DATASET_TYPE_SEQUENCE_DATA


@click.group("dataset", cls=FramedGroup)
def dataset_command() -> None:
    """List, make, export, import and check datasets.

    NAME is a name or ID of a dataset.
    """


@dataset_command.command("ls")
@click.argument("name", required=False)
@pass_session
def _ls(session: Session, name: Optional[str]) -> None:
    """List datasets with their number of images.

    NAME is the name or ID of an organization, for its own.
    """
    fleet = Fleet(session.client)
    holder = None if name is None else fleet.find(name, ["organizations"])
    _print_datasets(session, fleet.things("datasets", holder))


def _print_datasets(session: Session, datasets: Sequence[Thing]) -> None:
    def number(dataset: Thing) -> int:
        return _number_of_images(session.client, dataset)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        images = dict(zip((each.id for each in datasets), pool.map(number, datasets)))
    if session.json:
        for each in datasets:
            print_json({**viam_sync.to_dict(each.value), "images": images[each.id]})
        return
    columns = [
        Column("name", lambda each: each.name),
        Column("id", lambda each: each.id),
        Column("images", lambda each: str(images[each.id])),
        Column("type", lambda each: "sequences" if each.value.type == _SEQUENCES else "images"),
        Column("created", lambda each: timestamp_text(each.value.time_created, None)),
    ]
    print_items(datasets, columns, as_json=False)


def _number_of_images(client: viam_sync.ViamClient, dataset: Thing) -> int:
    _, count, _ = client.data_client.binary_data_by_filter(create_filter(dataset_id=dataset.id), count_only=True)
    return count


def _find(session: Session, name: str) -> Thing:
    return Fleet(session.client).find(name, ["datasets"])


@dataset_command.command("create")
@click.argument("name")
@click.option("--organization", "--org", metavar="NAME", help="Its organization, by name or ID, if there are several.")
@click.option("--sequences", is_flag=True, help="Make a dataset of sequences, in place of one of images.")
@pass_session
def _create(session: Session, name: str, organization: Optional[str], sequences: bool) -> None:
    """Make an empty dataset, and print it as ls does."""
    holder = Fleet(session.client).organization(organization)
    data = session.client.data_client
    id = data.create_dataset(name, holder.id, _SEQUENCES if sequences else None)
    _print_datasets(session, [Thing("datasets", each.name, each.id, each) for each in data.list_dataset_by_ids([id])])


@dataset_command.command("rename")
@click.argument("name")
@click.argument("new_name")
@pass_session
def _rename(session: Session, name: str, new_name: str) -> None:
    """Give a dataset a NEW_NAME."""
    dataset = _find(session, name)
    session.client.data_client.rename_dataset(dataset.id, new_name)
    print_note(f"The dataset {dataset.name} is called {new_name} now.")


@dataset_command.command("delete")
@click.argument("name")
@yes_option
@pass_session
def _delete(session: Session, name: str, yes: bool) -> None:
    """Delete a dataset; its images stay in the cloud."""
    dataset = _find(session, name)
    images = counted(_number_of_images(session.client, dataset), "image")
    confirm(f"Delete the dataset {dataset.path} of {images}? The images themselves stay.", yes)
    session.client.data_client.delete_dataset(dataset.id)
    print_note(f"The dataset {dataset.name} was deleted.")


def _shares(context: click.Context, option: click.Parameter, value: Optional[str]) -> Optional[List[float]]:
    """Return the shares that an option such as ``0.8,0.1,0.1`` names."""
    try:
        return None if value is None else [float(each) for each in value.split(",")]
    except ValueError:
        raise click.BadParameter(f"{value!r} are no shares such as 0.8,0.1,0.1") from None


@dataset_command.command("export")
@click.argument("name")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--format", type=click.Choice(FORMATS), default="viam", help="The format of the labels; viam by default.")
@click.option(
    "--split", callback=_shares, metavar="SHARES", help="Shares to train, validate and test with: 0.8,0.1,0.1."
)
@click.option(
    "--class", "classes", multiple=True, metavar="LABEL", help="A label, in the order of their numbers; again for more."
)
@durable_option
@parallel_option
@pass_session
def _export(
    session: Session,
    name: str,
    folder: str,
    format: str,
    split: Optional[List[float]],
    classes: Sequence[str],
    durable: bool,
    parallel: int,
) -> None:
    """Bring images and labels of a dataset into FOLDER.

    Another run fetches what is new, writes labels anew, and removes images that have left the dataset. Another format
    in the same folder adds its labels, and fetches no image again.
    """
    dataset = _find(session, name)
    with long_run(f"exporting {dataset.name}") as tell, parameter_names(split="--split", classes="--class"):
        result = session.client.data_client.export_dataset(
            dataset.id,
            folder,
            format=format,
            split=split,
            classes=classes or None,
            workers=parallel,
            durable=durable,
            progress=tell,
        )
    images = result.images
    counts = {
        "exported": len(images.exported),
        "already_there": len(images.already_there),
        "removed": sum(each.removed for each in images.gone),
        "failed": len(images.failed),
        "left_out": len(result.left_out),
    }
    print_record({"folder": folder, "format": format, **counts, "classes": result.classes}, session.json)
    for each in result.left_out:
        print_note(f"left out {each.name or each.id}: {each.reason}")
    end_with((each.id, each.error) for each in images.failed)


@dataset_command.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
@click.argument("name")
@click.option("--format", type=click.Choice(FORMATS), required=True, help="The format of the labels.")
@part_option
@click.option(
    "--ignore",
    multiple=True,
    metavar="THING",
    help="Leave out a thing of labels, such as segmentation; again for more.",
)
@parallel_option
@pass_session
def _import(
    session: Session, folder: str, name: str, format: str, part: str, ignore: Sequence[str], parallel: int
) -> None:
    """Bring images and labels in FOLDER into a dataset.

    The dataset is made if there is none. All labels are read first. If some are wrong, they are listed, and nothing is
    sent. Another run uploads what is new, and removes nothing.
    """
    fleet = Fleet(session.client)
    part_id = fleet.find_part(part).id
    # A name is one of the organization of the part, and is looked up where the dataset is made.
    known = next((each for each in fleet.things("datasets") if name in (each.id, each.path)), None)
    name, organization_id = (name, None) if known is None else (known.name, known.holders[0].id)
    try:
        with long_run(f"importing {name}") as tell, parameter_names(ignore="--ignore", name="NAME"):
            result = session.client.data_client.import_dataset(
                folder,
                format=format,
                name=name,
                part_id=part_id,
                organization_id=organization_id,
                ignore=ignore,
                workers=parallel,
                progress=tell,
            )
    except LabelsError as error:
        _print_problems(error, session.json)
        count = counted(len(error.problems), "problem")
        raise click.ClickException(f"nothing was sent, as the labels have {count}") from None
    counts = {
        "images": len(result.images),
        "uploaded": len(result.uploaded),
        "already_there": len(result.already_there),
        "failed": len(result.failed),
        "boxes_added": result.boxes_added,
        "other_boxes": result.other_boxes,
    }
    print_record({"name": name, "dataset_id": result.dataset_id, **counts}, session.json)
    end_with((each.path, each.error) for each in result.failed)


def _print_problems(error: LabelsError, as_json: bool) -> None:
    rows = [
        {"path": str(each.path), "line": each.line, "problem": _IGNORE.sub(r"--ignore \1", each.text)}
        for each in error.problems
    ]
    columns = [
        Column("path", lambda row: row["path"] if row["line"] is None else f"{row['path']}:{row['line']}"),
        Column("problem", lambda row: row["problem"]),
    ]
    print_items(rows, columns, as_json)


@dataset_command.command("check")
@click.argument("name")
@click.option("--type", "kind", type=click.Choice([*MODEL_TYPES]), required=True, help="The type of model to train.")
@label_option
@pass_session
def _check(session: Session, name: str, kind: str, labels: Sequence[str]) -> None:
    """List why training would refuse a dataset.

    The exit code is 1 if there is any reason.
    """
    dataset = _find(session, name)
    check = session.client.data_client.check_dataset(dataset.id, MODEL_TYPES[kind], tags=labels)
    if session.json:
        print_json(check)
    else:
        columns = [
            Column("problem", lambda problem: problem.rpartition("; ")[0]),
            Column("what to do", lambda problem: problem.rpartition("; ")[2]),
        ]
        print_items(check.problems, columns, as_json=False)
        labels_there = ", ".join(f"{label} {count:,}" for label, count in check.examples.items()) or "none"
        images = f"{counted(check.images, 'image')}, {check.labeled:,} labelled; labels: {labels_there}"
        print_note(f"{dataset.name} {'suffices' if check.suffices else 'does not suffice'}: {images}")
    if not check.suffices:
        raise click.exceptions.Exit(1)
