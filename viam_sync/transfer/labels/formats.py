"""The formats of labels, by name."""

from typing import Dict

from viam_sync.transfer.labels.coco_format import CocoFormat
from viam_sync.transfer.labels.imagefolder_format import ImageFolderFormat
from viam_sync.transfer.labels.label_format import LabelFormat
from viam_sync.transfer.labels.viam_format import ViamFormat
from viam_sync.transfer.labels.voc_format import VocFormat
from viam_sync.transfer.labels.yolo_format import YoloFormat

#: The formats, by the names that ``format=`` takes.
FORMATS: Dict[str, LabelFormat] = {
    format.name: format for format in (ViamFormat(), CocoFormat(), YoloFormat(), VocFormat(), ImageFolderFormat())
}
