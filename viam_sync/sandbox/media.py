"""What kind of contents a file has: told by its uploader, by its extension, or by its first bytes."""

from __future__ import annotations

from viam_sync.proto.app import datasync as pb

#: The first bytes of a file that `kind_of` looks at.
HEAD = 8

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


def kind_of(upload: pb.UploadMetadata, sensor: pb.SensorMetadata, head: bytes) -> str:
    """Return the MIME type of an upload: the one that it names, else that of its extension, else of its contents."""
    told = upload.mime_type or _BY_NUMBER.get(sensor.mime_type, "")
    if told:
        return told
    extension = dotted(upload.file_extension) or _extension_of(upload.file_name)
    by_head = next((kind for start, kind in _BY_HEAD.items() if head.startswith(start)), _UNKNOWN)
    return _BY_EXTENSION.get(extension.lower(), by_head)


def dotted(extension: str) -> str:
    """Return an extension with its dot; not every client sends it."""
    return extension if not extension or extension.startswith(".") else f".{extension}"


def is_image(mime_type: str) -> bool:
    """Return whether something can be marked in contents of a MIME type."""
    return mime_type.lower().startswith("image/")


def _extension_of(name: str) -> str:
    return "." + name.rpartition(".")[2] if "." in name else ""
