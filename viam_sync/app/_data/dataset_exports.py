"""The method of DataClient that exports a dataset: its images, and their labels in a format of training tools."""

from __future__ import annotations

from typing import Iterable, Iterator, List, Optional, Sequence, Set

from typing_extensions import TypeAlias

from viam_sync.app._data.exports import ExportsMixin
from viam_sync.app._data.file_exports import result_in_errors
from viam_sync.checks import one_of, path_from
from viam_sync.checks.numbers import boolean, require_seconds, worker_count
from viam_sync.proto.app import data as pb
from viam_sync.transfer.export.local_folder import LocalFolder
from viam_sync.transfer.labels.class_order import class_order, classes_from
from viam_sync.transfer.labels.dataset_results import DatasetExportResult, LeftOutFile
from viam_sync.transfer.labels.dataset_split import split_from
from viam_sync.transfer.labels.dataset_state import DatasetExportState
from viam_sync.transfer.labels.exported_images import ExportedImages
from viam_sync.transfer.labels.formats import FORMATS
from viam_sync.transfer.labels.image_layout import ImageLayout, reason_against
from viam_sync.transfer.labels.image_size import load_pillow
from viam_sync.transfer.labels.label_files import LabelFiles
from viam_sync.transfer.labels.label_format import LabelFormat
from viam_sync.transfer.output.atomic import StrPath
from viam_sync.transfer.output.progress import Progress, ProgressLike


class DatasetExportsMixin(ExportsMixin):
    """The method that exports a dataset."""

    # Without TypeAlias, mypy takes the name for a variable, which cannot be used as a type.
    DatasetExportResult: TypeAlias = DatasetExportResult

    def export_dataset(
        self,
        dataset_id: str,
        folder: StrPath,
        *,
        format: str = "viam",
        split: Optional[Sequence[float]] = None,
        classes: Optional[Sequence[str]] = None,
        workers: int = 8,
        durable: bool = True,
        progress: Optional[ProgressLike] = None,
        timeout: Optional[float] = None,
    ) -> DatasetExportResult:
        """Download the images of a dataset, write their labels as a training tool reads them, and keep both up to date.

        Images go to ``images/``; with a split, to ``images/train/``, ``images/val/`` and ``images/test/``. They come as
        with ``export_binary_data``: several at a time, each whole or not at all, and a second run fetches only what is
        missing, however the first one ended. Labels are written anew by each run. Another format in the same folder
        adds its labels beside those that are there, without fetching images again.

        No two images have a name that differs by its ending alone, as label files are called like images. The part of a
        split that an image belongs to is a matter of its ID, so it is the same in every run and every folder. Classes
        keep their order in a folder; new ones come after them, sorted. Tags that the service gives to the files of a
        dataset by itself, ``VIAM_DATASET_…``, are left out. Images without labels stay. One that has left the dataset
        leaves the folder, with its labels, unless somebody has changed it. Nothing else in the folder is touched.

        Args:
            dataset_id: ID of the dataset, 24 hexadecimal digits.
            folder: The folder, which is made if it is not there. One with other files, with another dataset or with
                another split is refused.
            format: The format of the labels: ``"viam"`` for the JSON lines of Viam's own scripts and command line,
                ``"coco"`` for COCO's JSON, ``"yolo"`` for the texts of YOLO with a ``data.yaml``, ``"voc"`` for the XML
                of Pascal VOC, ``"imagefolder"`` for the folder of images of Hugging Face.
            split: The shares of images to train with, to choose a model by and to test it with, which add up to 1, such
                as ``(0.8, 0.1, 0.1)`` or ``(0.8, 0.2)``. None for all images in one folder.
            classes: The labels of boxes, in the order in which numbers stand for them; a box with another label is
                refused then. None for all labels that there are: those of earlier runs keep their places, and new
                ones follow, sorted.
            workers: How many calls may be under way at a time, up to 64.
            durable: Whether each image is on the disk before it gets its name, as with ``export_binary_data``. Labels
                are in any case.
            progress: True for a bar on the terminal or in a notebook (``pip install tqdm``); or a function that is
                called with the number of files done, their total, and ``"files"``.
            timeout: Seconds that a call may take before it is made again; None for the limit of its retry class.

        Returns:
            One result for each image in ``images``, as from ``export_binary_data``; the order of the classes; and the
            files that are not in the labels, as they are no images or cannot be read.

        Raises:
            ImportError: If the format tells sizes in pixels, and Pillow is not installed.
            OSError: If the folder cannot be written, another export is at work in it, or a label file in it has been
                changed, or was written by somebody else. The error's attribute ``result`` tells which images were done
                until then, as ``export_binary_data`` does.
            TypeError: If an argument is of the wrong type.
            ValueError: If ``format``, ``split``, ``classes`` or ``workers`` is none of those it can be, or the folder
                has another dataset or another split.
            FailedPreconditionError: If it is a dataset of sequences.
            NotFoundError: If there is no such dataset.
            UnauthenticatedError: If the service no longer knows the caller; with ``result``.
            GRPCError: If the files cannot be listed; a subclass says why. With ``result``, too.

        Example:
            >>> result = client.data_client.export_dataset(sandbox.dataset_id, folder)
            >>> len(result.images.exported), sorted(path.name for path in folder.iterdir() if path.name[0] != ".")
            (24, ['dataset.jsonl', 'images', 'manifest.jsonl', 'metadata'])
            >>> client.data_client.export_dataset(sandbox.dataset_id, folder).images.exported
            []
        """
        label_format = FORMATS[one_of("format", format, FORMATS)]
        state = DatasetExportState(dataset_id, split_from(split))
        fixed = classes_from(classes)
        is_durable = boolean("durable", durable)
        root, workers, timeout = path_from("folder", folder), worker_count(workers), require_seconds("timeout", timeout)
        pillow = load_pillow(f"the format {format!r}") if label_format.needs_sizes else None
        state.require_same(root)
        filter = pb.Filter(dataset_id=dataset_id)
        listed = self.iter_binary_data(filter, include_binary_data=False, include_internal_data=True, timeout=timeout)
        with listed, Progress(progress, "files") as told:
            self._get_dataset(dataset_id, timeout)
            place = LocalFolder(root, ImageLayout(state.split), durable=is_durable)
            with self._export_into(place, workers, told, timeout) as export, result_in_errors(export):
                # Another run may have begun between the first look and the lock.
                state.require_same(root)
                state.keep(root)
                if progress:
                    told.begin(self._count(filter, True, timeout))
                result = DatasetExportResult(format, export.result)
                export.run(_images_of(listed, result.left_out, told), workers)
                if not export.result.files:
                    # A caller who has lost access to the data finds nothing, either, and must not lose what is there.
                    self._require_known_ids(filter, timeout, certain=True)
                images = ExportedImages(place, {file.id for file in export.result.files}, pillow)
                _write_labels(label_format, LabelFiles(root, format), images, fixed, result)
                export.finish(workers, remove_gone=True)
        return result


def _images_of(listed: Iterable[pb.BinaryData], left_out: List[LeftOutFile], told: Progress) -> Iterator[pb.BinaryData]:
    """Yield the files that are images, and add the others to those that are left out."""
    others: Set[str] = set()
    for found in listed:
        metadata = found.metadata
        reason = reason_against(metadata)
        id = metadata.binary_data_id or metadata.id
        if reason is None:
            yield found
        elif id not in others:
            others.add(id)
            left_out.append(LeftOutFile(id, metadata.file_name, reason))
            told.advance(1)


def _write_labels(
    label_format: LabelFormat,
    files: LabelFiles,
    images: ExportedImages,
    fixed: Optional[Sequence[str]],
    result: DatasetExportResult,
) -> None:
    """Write the labels of images anew, and note the classes and the images that cannot be read."""
    result.classes = class_order(files.folder, images.classes(), fixed)
    label_format.write(files, images, result.classes)
    files.finish()
    result.left_out += images.unreadable()
