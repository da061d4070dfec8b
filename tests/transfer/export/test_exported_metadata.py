import json
from typing import Any, Dict, List

import pytest

from viam_sync.proto.app import data as pb
from viam_sync.transfer.export import exported_metadata
from viam_sync.transfer.export.exported_metadata import MetadataWriter
from viam_sync.transfer.output.rows import binary_metadata_row, capture_metadata_row


def metadata_of(number: int, *, camera: str = "cam") -> pb.BinaryMetadata:
    metadata = pb.BinaryMetadata(id=f"f{number}", file_name='é "\\\n', file_size_bytes=2**60, dataset_ids=["a", "b"])
    metadata.annotations.bboxes.add(label="cat", x_min_normalized=0.1, confidence=1)
    metadata.capture_metadata.component_name = camera
    metadata.capture_metadata.tags.extend(["x", "y"])
    return metadata


def test_what_is_written_is_json_with_an_indent_of_four() -> None:
    for metadata in (metadata_of(1), pb.BinaryMetadata(), pb.BinaryMetadata(capture_metadata=pb.CaptureMetadata())):
        expected = json.dumps(binary_metadata_row(metadata), indent=4) + "\n"
        assert MetadataWriter().json(metadata).decode() == expected


def test_the_metadata_of_a_capture_is_converted_once_for_all_of_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    converted: List[str] = []

    def counting(capture: pb.CaptureMetadata) -> Dict[str, Any]:
        converted.append(capture.component_name)
        return capture_metadata_row(capture)

    monkeypatch.setattr(exported_metadata, "capture_metadata_row", counting)
    writer = MetadataWriter()
    for number in range(10):
        writer.json(metadata_of(number))
        writer.json(metadata_of(number, camera="other"))
    assert converted == ["cam", "other"]
