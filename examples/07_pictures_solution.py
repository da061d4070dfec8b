"""The solution of lesson 7."""

from viam_sync.lessons import exercise, lesson_client, practice_part, practice_picture

with lesson_client() as client, practice_part(client) as part:
    data = client.data_client
    png = practice_picture()
    sent = data.binary_data_capture_upload(png, part.id, "rdk:component:camera", "door", "GetImages", ".png")
    picture_id = str(sent.binary_data_id)
    with exercise(7, client, picture_id):
        data.add_bounding_box_to_image_by_id(
            picture_id, "white", x_min_normalized=0.5, y_min_normalized=0, x_max_normalized=1, y_max_normalized=1
        )
