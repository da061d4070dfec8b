"""Lesson 7: pictures and boxes.

A picture is a file in the cloud, which has an ID, tags and bounding boxes. A box says where in the picture
something is. Its edges are numbers from 0 to 1: 0 is left or top, 1 is right or bottom, whatever the size of the
picture.

Contents are large. With `include_binary_data=False` only what is known about the pictures comes, which is fast.
"""

from collections import Counter
from pathlib import Path
from typing import List

from viam_sync.lessons import exercise, lesson_client, practice_part, practice_picture
from viam_sync.utils import create_filter

with lesson_client() as client, practice_part(client) as part:
    data = client.data_client
    labels: List[str] = []
    for picture in data.iter_binary_data(create_filter(mime_type=["image/png"]), include_binary_data=False, limit=100):
        labels += [box.label for box in picture.metadata.annotations.bboxes]
    print("labels of boxes here:", dict(Counter(labels)))

    # A picture of our own, as if the camera "door" had taken it: its left half is red, its right half white.
    png = practice_picture()
    sent = data.binary_data_capture_upload(png, part.id, "rdk:component:camera", "door", "GetImages", ".png")
    picture_id = str(sent.binary_data_id)
    data.add_bounding_box_to_image_by_id(
        picture_id, "red", x_min_normalized=0, y_min_normalized=0, x_max_normalized=0.5, y_max_normalized=1
    )
    data.add_tags_to_binary_data_by_ids(["lesson"], [picture_id])

    picture = data.binary_data_by_ids([picture_id])[0]
    Path("picture.png").write_bytes(picture.binary)
    print(f"picture.png has {len(picture.binary)} bytes, the tags {picture.metadata.capture_metadata.tags}, and boxes:")
    for box in picture.metadata.annotations.bboxes:
        print(f"  {box.label} from {box.x_min_normalized:.0%} to {box.x_max_normalized:.0%} of the width")

    # Exercise: add a box with the label "white" around the other half. Then: python 07_pictures.py --check
    with exercise(7, client, picture_id):
        pass  # your lines go here
