"""``data upload``: files and folders, each file once."""

from __future__ import annotations

from operator import itemgetter
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import click

from viam_sync.app.data_client import DataClient
from viam_sync.cli.fleet_things import Fleet
from viam_sync.cli.frame import FramedCommand, Session, part_option, pass_session
from viam_sync.cli.long_runs import end_with, long_run, parallel_option
from viam_sync.cli.printing import Column, on_terminal, print_items, print_record
from viam_sync.profiles import profiles_file

_STATES = ("uploaded", "already there", "failed")


@click.command("upload", cls=FramedCommand)
@click.argument("paths", nargs=-1, required=True, metavar="FILE|FOLDER...", type=click.Path(exists=True))
@part_option
@click.option("--component", "--component-name", "component", metavar="NAME", help="The component that they come from.")
@click.option("--component-type", metavar="TYPE", help="The type of the component.")
@click.option("--method", metavar="METHOD", help="The method that they were captured with.")
@click.option("--tag", multiple=True, metavar="TAG", help="Give them a tag; again for more.")
@click.option(
    "--dataset", "--dataset-id", multiple=True, metavar="NAME", help="Put them into a dataset; again for more."
)
@click.option("--mime-type", metavar="TYPE", help="Their type, such as image/png, where the name does not tell it.")
@click.option("--pattern", metavar="PATTERN", help="Of the files in folders, only those that match, such as *.jpg.")
@click.option("--again", is_flag=True, help="Send also what was sent before.")
@parallel_option
@pass_session
def upload_command(
    session: Session,
    /,
    paths: Sequence[str],
    part: str,
    component: Optional[str],
    dataset: Sequence[str],
    method: Optional[str],
    pattern: Optional[str],
    again: bool,
    parallel: int,
    **described: Any,
) -> None:
    """Upload files, and all that are in folders.

    What was sent already is not sent again, however an earlier command ended: a folder has a journal of that in it,
    and single files have one beside the profiles. In a pipe, each file is a line.
    """
    fleet = Fleet(session.client)
    part_id = fleet.find_part(part).id
    described["tags"] = described.pop("tag") or None
    described["dataset_ids"] = [fleet.find(each, ["datasets"]).id for each in dataset] or None
    files = [path for path in paths if not Path(path).is_dir()]
    results: List[DataClient.UploadResult] = []
    for batch in ([files] if files else []) + [path for path in paths if path not in files]:
        single = isinstance(batch, list)
        with long_run("uploading") as progress:
            results += session.client.data_client.upload_files(
                batch,
                part_id,
                component_name=component,
                method_name=method,
                pattern=None if single else pattern,
                workers=parallel,
                journal=False if again else _journal(part_id) if single else None,
                progress=progress,
                **described,
            )
    _print_results(results, session.json)
    end_with((each.path, each.error) for each in results if each.error is not None)


def _journal(part_id: str) -> Path:
    """Return the path of the journal of single files, in a folder that is there."""
    folder = profiles_file().parent / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{part_id}.jsonl"


def _print_results(results: Sequence[DataClient.UploadResult], as_json: bool) -> None:
    if not results:
        click.echo("There is no file to upload.", err=True)
    rows = list(map(_row, results))
    if on_terminal() and not as_json:
        states = [row["state"] for row in rows]
        print_record({state: states.count(state) for state in _STATES}, as_json=False)
        return
    print_items(rows, [Column("path", itemgetter("path")), Column("id", itemgetter("id"))], as_json)


def _row(result: DataClient.UploadResult) -> Dict[str, Any]:
    """Return a result with the ID by which other commands know the file."""
    known = "" if result.id is None else result.id.binary_data_id or str(result.id)
    state = _STATES[2 if result.error is not None else 1 if result.already_sent else 0]
    return {"path": str(result.path), "id": known, "state": state, "error": result.error}
