"""The files that a command tags or deletes: those of a filter, or of IDs, counted first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterator, List, Mapping, Optional, Sequence, TypeVar

import click

from viam_sync.cli.data_filters import choose_data, filter_options, is_chosen
from viam_sync.cli.frame import Session
from viam_sync.cli.long_runs import Tell
from viam_sync.cli.printing import counted

_BATCH = 100
_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


@dataclass(frozen=True)
class ChosenFiles:
    """Files that options choose.

    Attributes:
        text: How many of which, such as ``12 files (machine rover)``.
        count: How many.
        list_ids: Returns their IDs.
    """

    text: str
    count: int
    list_ids: Callable[[], List[str]]

    def batches(self, progress: Optional[Tell]) -> Iterator[List[str]]:
        """Yield the IDs, some at a time, and tell of each batch once the next one is asked for."""
        # A list: what is tagged or deleted meanwhile might change where a page begins.
        ids = self.list_ids()
        tell = progress or (lambda done, total, unit: None)
        tell(0, len(ids), "files")
        for start in range(0, len(ids), _BATCH):
            yield ids[start : start + _BATCH]
            tell(min(start + _BATCH, len(ids)), len(ids), "files")


def file_options(function: _Decorated) -> _Decorated:
    """Give a command the options that choose files; it gets their values as keywords, for `choose_files`."""
    everything = click.option("--all", "everything", is_flag=True, help="All files that you may change.")
    ids = click.option(
        "--id",
        "--binary-data-id",
        "ids",
        multiple=True,
        metavar="ID",
        help="The file with an ID, as uploads print it; again for more.",
    )
    return filter_options()(ids(everything(function)))


def choose_files(session: Session, ids: Sequence[str], everything: bool, options: Mapping[str, Any]) -> ChosenFiles:
    """Return the files that the values of the options choose.

    Raises:
        click.UsageError: If none are chosen, or in two ways: what changes files takes no silence for all of them.
        click.ClickException: If there is no file of an ID, or nothing of a name.
    """
    if (bool(ids), is_chosen(options), everything).count(True) != 1:
        raise click.UsageError("say which files, in one way: by --machine, --tag and the like, by --id, or by --all")
    data = session.client.data_client
    if ids:
        known = _known_ids(data, ids)
        return ChosenFiles(f"{counted(len(known), 'file')} (by ID)", len(known), lambda: known)
    choice = choose_data(session, options)
    _, count, _ = data.binary_data_by_filter(choice.filter, include_binary_data=False, count_only=True)

    def list_ids() -> List[str]:
        with data.iter_binary_data(choice.filter, include_binary_data=False) as files:
            return [file.metadata.binary_data_id for file in files]

    return ChosenFiles(f"{counted(count, 'file')} ({choice.words or 'all'})", count, list_ids)


def _known_ids(data: Any, ids: Sequence[str]) -> List[str]:
    found = []
    for start in range(0, len(ids), _BATCH):
        found += data.binary_data_by_ids(ids[start : start + _BATCH], include_binary_data=False)
    known = [file.metadata.binary_data_id for file in found]
    unknown = {*ids} - {*known, *(file.metadata.id for file in found)}
    if unknown:
        raise click.ClickException(
            f"there is no file with the ID {min(unknown)}; the metadata of data export binary has those that there are"
        )
    return known
