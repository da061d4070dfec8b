"""From pictures in folders called like their labels to a dataset that Hugging Face's `datasets` loads, for `torch` too.

Without an account it talks to a sandbox on this computer, and takes the tomatoes from there. With VIAM_API_KEY and
VIAM_API_KEY_ID set (and VIAM_APP_URL, if it is not app.viam.com), it talks to the real cloud, and takes ./pictures.
"""

import os
from pathlib import Path

from viam_sync import ViamClient
from viam_sync.proto.app.mltraining import ModelType
from viam_sync.sandbox import Sandbox


def take_pictures(client: ViamClient) -> None:
    for number, file in enumerate(client.data_client.iter_binary_data()):
        path = Path("pictures", file.metadata.capture_metadata.tags[0], f"{number}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.binary)


def make_dataset(client: ViamClient) -> None:
    app, data = client.app_client, client.data_client
    location = app.list_locations(app.list_organizations()[0].id)[0]
    part = app.get_robot_parts(app.list_robots(location.id)[0].id)[0]
    result = data.import_dataset("pictures", format="imagefolder", name="pictures", part_id=part.id)
    print(result)
    print(data.check_dataset(result.dataset_id, ModelType.MODEL_TYPE_SINGLE_LABEL_CLASSIFICATION))
    data.export_dataset(result.dataset_id, "dataset", format="imagefolder", split=(0.8, 0.2))
    print('It is there: datasets.load_dataset("imagefolder", data_dir="dataset/images").with_format("torch")')


if "VIAM_API_KEY" in os.environ:
    with ViamClient.create_from_env_vars() as client:
        make_dataset(client)
else:
    with Sandbox() as sandbox, ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        take_pictures(client)
        make_dataset(client)
