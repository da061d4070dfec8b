"""Archives as modules are uploaded."""

import io
import tarfile


def packed(contents: bytes = b"exec true\n", name: str = "run.sh") -> bytes:
    """Return a tar archive, packed with gzip, with one file in it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(contents)
        archive.addfile(member, io.BytesIO(contents))
    return made.getvalue()
