"""Makes a dataset and trains a model: nested functions, and an event loop by hand."""

import asyncio
import os

from viam.app.viam_client import ViamClient
from viam.proto.app.data import Filter
from viam.proto.app.mltraining import ModelType, TrainingStatus
from viam.rpc.dial import DialOptions

ORG_ID = os.environ["ORG_ID"]


async def train():
    async def connect():
        options = DialOptions.with_api_key(os.environ["VIAM_API_KEY"], os.environ["VIAM_API_KEY_ID"])
        return await ViamClient.create_from_dial_options(options, os.environ["APP_URL"])

    client = await connect()
    data, training = client.data_client, client.ml_training_client

    async def make_dataset(name, count):
        images, _, _ = await data.binary_data_by_filter(Filter(), limit=count, include_binary_data=False)
        ids = [image.metadata.binary_data_id for image in images]
        dataset = await data.create_dataset(name=name, organization_id=ORG_ID)
        await data.add_binary_data_to_dataset_by_ids(binary_ids=ids, dataset_id=dataset)

        async def describe():
            [described] = await data.list_dataset_by_ids([dataset])
            inside = await data.binary_data_by_filter(Filter(dataset_id=dataset), count_only=True)
            return f"{described.name}: {inside[1]} images"

        print(await describe())
        return dataset

    dataset = await make_dataset("plants", 3)
    job = await training.submit_training_job(
        org_id=ORG_ID,
        dataset_id=os.environ["DATASET_ID"],
        model_name="tomato-finder",
        model_version="1",
        model_type=ModelType.MODEL_TYPE_SINGLE_LABEL_CLASSIFICATION,
        tags=["ripe", "unripe"],
    )
    status = (await training.get_training_job(job)).status
    print(TrainingStatus.Name(status), status == TrainingStatus.TRAINING_STATUS_PENDING)
    await asyncio.sleep(0.01)
    await training.cancel_training_job(job)
    print([found.model_name for found in await training.list_training_jobs(ORG_ID) if found.id == job])
    await data.delete_dataset(dataset)
    client.close()


loop = asyncio.get_event_loop()
loop.run_until_complete(train())
