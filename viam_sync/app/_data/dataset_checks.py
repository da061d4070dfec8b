"""The method of DataClient that tells whether a dataset suffices to train on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence

from typing_extensions import TypeAlias

from viam_sync.app._data.binary_data import BinaryDataMixin
from viam_sync.app._data.binary_tags import TagsMixin
from viam_sync.app._data.bounding_boxes import BoundingBoxesMixin
from viam_sync.app._data.filters import create_filter
from viam_sync.app._data.unknown_ids import UnknownIDsMixin
from viam_sync.checks import as_list, text, wrong_word
from viam_sync.errors import UnimplementedError
from viam_sync.proto.app import mltraining as pb
from viam_sync.transfer.labels.labeled_image import DATASET_TAG

#: The least that training takes: images for a detector, labels, examples of each, and the share of labelled images.
_LEAST_IMAGES = 15
_LEAST_LABELS = 2
_LEAST_EXAMPLES = 10
_LEAST_PERCENT = 80


@dataclass(repr=False)
class DatasetCheck:
    """Whether a dataset suffices to train on; printed, it tells why not.

    Attributes:
        dataset_id: ID of the dataset.
        images: The number of its images.
        labeled: The number of those that have one of the labels.
        examples: The number of examples of each label: images with a tag; for a detector, boxes, of which no more than
            one in an image is counted where that is enough already.
        problems: The reasons why it does not suffice, with what to do; empty if it does.

    Example:
        >>> from viam_sync.app.data_client import DatasetCheck
        >>> DatasetCheck("d-1", 24, 24, {"ripe": 12, "unripe": 12})
        DatasetCheck('d-1', 24 images, 24 labelled, 2 labels, 0 problems)
    """

    dataset_id: str
    images: int
    labeled: int
    examples: Dict[str, int]
    problems: List[str] = field(default_factory=list)

    @property
    def suffices(self) -> bool:
        """Whether training takes it."""
        return not self.problems

    def __repr__(self) -> str:
        counts = f"{self.images} images, {self.labeled} labelled, {len(self.examples)} labels"
        return f"DatasetCheck({self.dataset_id!r}, {counts}, {len(self.problems)} problems)"

    def __str__(self) -> str:
        return "\n".join([repr(self), *self.problems])


class DatasetChecksMixin(BinaryDataMixin, TagsMixin, BoundingBoxesMixin, UnknownIDsMixin):
    """A method that checks a dataset before a model is trained on it."""

    # Without TypeAlias, mypy takes the name for a variable, which cannot be used as a type.
    DatasetCheck: TypeAlias = DatasetCheck

    def check_dataset(
        self,
        dataset_id: str,
        model_type: pb.ModelType.ValueType,
        *,
        tags: Optional[Sequence[str]] = None,
        timeout: Optional[float] = None,
    ) -> DatasetCheck:
        """Tell whether training takes a dataset, and all reasons why not, before a job is submitted.

        Training refuses a dataset unless 80 % of its images are labelled, there are 2 labels, and 10 examples of each;
        a detector takes 15 images. The labels of a detector are those of boxes, and those of a classifier are tags.

        The service counts, so that it takes a few calls however many images there are, and one or two for each label.
        Only what the caller may read is counted.

        Args:
            dataset_id: ID of the dataset, 24 hexadecimal digits.
            model_type: Kind of model to train, as `submit_training_job` takes it.
            tags: Labels to train on; None or none for all that there are.
            timeout: Seconds that a call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The counts, and the ``problems``; there are none if ``suffices`` is True.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If an ID or a label is empty, or ``model_type`` is none.
            FailedPreconditionError: If it is a dataset of sequences.
            NotFoundError: If there is no such dataset.
            GRPCError: If the service refuses a call or cannot be reached; a subclass says which.

        Example:
            >>> from viam_sync.proto.app.mltraining import ModelType
            >>> kind = ModelType.MODEL_TYPE_SINGLE_LABEL_CLASSIFICATION
            >>> client.data_client.check_dataset(sandbox.dataset_id, kind).examples
            {'ripe': 12, 'unripe': 12}
            >>> print(client.data_client.check_dataset(sandbox.dataset_id, kind, tags=["ripe"]).problems[1])
            it trains on 1 label, and takes 2; add images with another one
        """
        kind = pb.SubmitTrainingJobRequest(model_type=model_type).model_type
        kinds = [each for each in pb.ModelType.values() if each]
        if kind not in kinds:
            names = ", ".join(map(pb.ModelType.Name, kinds))
            raise wrong_word("model_type", f"one of {names}", model_type)
        detects = kind == pb.ModelType.MODEL_TYPE_OBJECT_DETECTION
        given = as_list("tags", [] if tags is None else tags, "strings")
        labels = list(dict.fromkeys(text(f"tags[{index}]", each) for index, each in enumerate(given)))
        self._get_dataset(dataset_id, timeout)
        labels = labels or self._labels_in(dataset_id, detects, timeout)
        check = DatasetCheck(
            dataset_id,
            self._number_of(timeout, dataset_id=dataset_id),
            self._number_of(timeout, dataset_id=dataset_id, **_with_one_of(labels, detects)) if labels else 0,
            {label: self._examples_of(label, dataset_id, detects, timeout) for label in labels},
        )
        check.problems = _problems(check, detects)
        return check

    def _labels_in(self, dataset_id: str, detects: bool, timeout: Optional[float]) -> List[str]:
        """Return the labels of a dataset, sorted."""
        filter = create_filter(dataset_id=dataset_id)
        find = self.bounding_box_labels_by_filter if detects else self.tags_by_filter
        try:
            found = set(find(filter, timeout=timeout))
        except UnimplementedError:  # the service has deprecated both
            with self.iter_binary_data(filter, include_binary_data=False, timeout=timeout) as files:
                found = {label for file in files for label in _labels_of(file.metadata, detects)}
        return sorted(label for label in found if not label.startswith(DATASET_TAG))

    def _number_of(self, timeout: Optional[float], **wanted: Any) -> int:
        """Return the number of files that match a filter."""
        _, count, _ = self.binary_data_by_filter(create_filter(**wanted), count_only=True, timeout=timeout)
        return count

    def _examples_of(self, label: str, dataset_id: str, detects: bool, timeout: Optional[float]) -> int:
        wanted: Dict[str, Any] = {"dataset_id": dataset_id, **_with_one_of([label], detects)}
        images = self._number_of(timeout, **wanted)
        if not detects or not 0 < images < _LEAST_EXAMPLES:
            return images
        # An image may have several boxes of one label, which nobody counts for us.
        files, _, _ = self.binary_data_by_filter(
            create_filter(**wanted), limit=_LEAST_EXAMPLES, include_binary_data=False, timeout=timeout
        )
        return sum(_labels_of(file.metadata, detects).count(label) for file in files)


def _with_one_of(labels: Sequence[str], detects: bool) -> Dict[str, Sequence[str]]:
    return {"bbox_labels" if detects else "tags": labels}


def _labels_of(metadata: Any, detects: bool) -> List[str]:
    return [box.label for box in metadata.annotations.bboxes] if detects else list(metadata.capture_metadata.tags)


def _problems(check: DatasetCheck, detects: bool) -> List[str]:
    """Return the reasons why training refuses a dataset, with what to do."""
    thing = "box" if detects else "tag"
    needed = -(-check.images * _LEAST_PERCENT // 100)
    found: List[str] = []
    if detects and check.images < _LEAST_IMAGES:
        lacking = _LEAST_IMAGES - check.images
        found.append(f"it has {_counted(check.images, 'image')}, and a detector takes {_LEAST_IMAGES}; add {lacking}")
    if check.labeled < needed:
        found.append(
            f"{check.labeled} of its {_counted(check.images, 'image')} are labelled, and {_LEAST_PERCENT} %, {needed},"
            f" have to be; give {needed - check.labeled} more a {thing}, or take unlabelled ones out"
        )
    if len(check.examples) < _LEAST_LABELS:
        count = _counted(len(check.examples), "label")
        found.append(f"it trains on {count}, and takes {_LEAST_LABELS}; add images with another one")
    for label, examples in check.examples.items():
        if examples < _LEAST_EXAMPLES:
            advice = f"add {_LEAST_EXAMPLES - examples}, or leave it out of tags"
            found.append(f"the label {label!r} has {_counted(examples, thing)}, and takes {_LEAST_EXAMPLES}; {advice}")
    return found


def _counted(count: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("x") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"
