"""The solution of lesson 9."""

from viam_sync.lessons import exercise, lesson_client, own_name, practice_part, practice_picture

with lesson_client() as client, practice_part(client) as part:
    data = client.data_client
    dataset_id = data.create_dataset(own_name(), client.app_client.list_organizations()[0].id)
    try:
        for name in ("0.png", "1.png"):
            data.file_upload(part.id, practice_picture(), file_name=name, tags=["red"], dataset_ids=[dataset_id])
        with exercise(9, client, dataset_id):
            data.file_upload(part.id, practice_picture(), file_name="2.png", tags=["white"], dataset_ids=[dataset_id])
    finally:
        data.delete_dataset(dataset_id)
