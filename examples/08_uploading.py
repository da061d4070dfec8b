"""Lesson 8: uploading.

Files go to the cloud for a part of a machine. `file_upload` and `file_upload_from_path` send one; `upload_files`
sends a folder of them, several at a time, and notes in a journal what is there, so that the same call after a crash
sends only the rest.

Readings go up with `tabular_data_capture_upload`. The cloud cannot delete single ones, so this lesson sends none:

    data.tabular_data_capture_upload([{"celsius": 20.5}], part.id, "rdk:component:sensor", "air", "Readings")
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from viam_sync.lessons import exercise, lesson_client, practice_part, practice_picture
from viam_sync.utils import create_filter

with lesson_client() as client, practice_part(client) as part, TemporaryDirectory() as name:
    data = client.data_client
    folder = Path(name)
    for number in range(5):
        (folder / f"{number}.png").write_bytes(practice_picture())

    for turn in ("first", "second"):
        results = data.upload_files(folder, part.id, pattern="*.png", tags=["lesson"])
        sent = [result for result in results if not result.already_sent]
        print(f"the {turn} time, {len(sent)} of {len(results)} files were sent")

    print("in the cloud:")
    for file in data.iter_binary_data(create_filter(part_id=part.id), include_binary_data=False):
        print(f"  {file.metadata.file_name}{file.metadata.file_ext}, {file.metadata.file_size_bytes} bytes")

    # Exercise: upload the line b"It works.\n" for `part`, with the file_name "notes.txt" and the tag "lesson";
    # `file_upload` takes bytes. Then: python 08_uploading.py --check
    with exercise(8, client, part):
        pass  # your lines go here
