"""The solution of lesson 8."""

from viam_sync.lessons import exercise, lesson_client, practice_part

with lesson_client() as client, practice_part(client) as part, exercise(8, client, part):
    client.data_client.file_upload(part.id, b"It works.\n", file_name="notes.txt", tags=["lesson"])
