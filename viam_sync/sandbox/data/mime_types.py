"""The MIME type of a file: given by its uploader, or derived from its extension or its first bytes."""

from __future__ import annotations

from viam_sync.proto.app import datasync as pb

#: The number of first bytes that `mime_type_of` takes.
HEAD_BYTES = 8

_UNKNOWN = "application/octet-stream"
_BY_EXTENSION = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".pcd": "pointcloud/pcd",
    ".mp4": "video/mp4",
    ".dep": "image/vnd.viam.dep",
    ".rgba": "image/vnd.viam.rgba",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
}
_BY_HEAD = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
_BY_NUMBER = {
    pb.MimeType.MIME_TYPE_IMAGE_JPEG: "image/jpeg",
    pb.MimeType.MIME_TYPE_IMAGE_PNG: "image/png",
    pb.MimeType.MIME_TYPE_APPLICATION_PCD: "pointcloud/pcd",
    pb.MimeType.MIME_TYPE_VIDEO_MP4: "video/mp4",
}


def mime_type_of(upload: pb.UploadMetadata, sensor: pb.SensorMetadata, head: bytes) -> str:
    """Return the MIME type of an upload: as given, or else by its extension, or else by its first bytes."""
    given = upload.mime_type or _BY_NUMBER.get(sensor.mime_type, "")
    if given:
        return given
    extension = dotted_extension(upload.file_extension) or _extension_of(upload.file_name)
    by_head = next((kind for start, kind in _BY_HEAD.items() if head.startswith(start)), _UNKNOWN)
    return _BY_EXTENSION.get(extension.lower(), by_head)


def dotted_extension(extension: str) -> str:
    """Return an extension with its dot, which some clients leave out."""
    return extension if not extension or extension.startswith(".") else f".{extension}"


def is_image(mime_type: str) -> bool:
    """Return whether a MIME type is that of an image."""
    return mime_type.lower().startswith("image/")


def _extension_of(name: str) -> str:
    return "." + name.rpartition(".")[2] if "." in name else ""
