"""Lesson 9: a dataset and a training job.

A model learns from examples: pictures with tags that say what is in them. A dataset is a list of such pictures. The
model here learns to give a picture one label, which is one of those tags. `check_dataset` says what training would
refuse, before a job is submitted. A job then trains for some minutes; its status says how far it is, and its log what
happened.

`own_name` makes up a name that nothing else has.

Training costs money in the real cloud, so this lesson trains in a sandbox, always, and turns its clock forward.
"""

from viam_sync import ViamClient
from viam_sync.lessons import exercise, lesson_client, own_name, practice_part, practice_picture
from viam_sync.proto.app.mltraining import ModelType, TrainingStatus
from viam_sync.sandbox import Sandbox

KIND = ModelType.MODEL_TYPE_SINGLE_LABEL_CLASSIFICATION

with Sandbox() as sandbox, ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
    organization_id, tags = sandbox.organization_id, ["ripe", "unripe"]
    print(client.data_client.check_dataset(sandbox.dataset_id, KIND, tags=tags))
    training = client.ml_training_client
    job_id = training.submit_training_job(organization_id, sandbox.dataset_id, own_name(), "1", KIND, tags)
    for _ in range(3):
        print(TrainingStatus.Name(training.get_training_job(job_id).status))
        sandbox.advance(60)
    for entry in training.iter_training_job_logs(job_id):
        print(f"  {entry.level}: {entry.message}")

with lesson_client() as client, practice_part(client) as part:
    data = client.data_client
    dataset_id = data.create_dataset(own_name(), client.app_client.list_organizations()[0].id)
    try:
        for number in range(2):
            data.file_upload(
                part.id, practice_picture(), file_name=f"{number}.png", tags=["red"], dataset_ids=[dataset_id]
            )
        for problem in data.check_dataset(dataset_id, KIND).problems:
            print("not enough:", problem)

        # Exercise: upload one more picture for `part` into the dataset, with the tag "white" and a name of your choice.
        # Then: python 09_dataset_and_training.py --check
        with exercise(9, client, dataset_id):
            pass  # your lines go here
    finally:
        data.delete_dataset(dataset_id)
