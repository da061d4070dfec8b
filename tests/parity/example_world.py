"""The world that examples run in: the sample world, and what they take for granted."""

import io
import tarfile
from pathlib import Path
from typing import Dict

from viam_sync.app.app_client import APIKeyAuthorization
from viam_sync.app.viam_client import ViamClient
from viam_sync.proto.app import Model, ModuleFileInfo
from viam_sync.proto.app.mltraining import ModelType
from viam_sync.proto.app.packages import PackageType
from viam_sync.sandbox import Sandbox

#: What belongs in the place of a placeholder, whatever is in the world.
_VALUES = {
    "api_key": 'os.environ["VIAM_API_KEY"]',
    "api_key_id": 'os.environ["VIAM_API_KEY_ID"]',
    "dial_options": 'DialOptions.with_api_key(os.environ["VIAM_API_KEY"], os.environ["VIAM_API_KEY_ID"])',
    "component_name": '"camera"',
    "data": 'b"contents"',
    "filepath": '"upload.txt"',
    "model_name": '"tomatoes"',
    "page_token": '""',
    "mql_binary": '{"$limit": 5}',
    "schedule": '"0 * * * *"',
    # The sandbox has neither, so an ID of the right form is enough.
    "container_id": '"1a2b3c4d-0000-4000-8000-000000000000"',
    "data_pipeline_id": '"1a2b3c4d-0000-4000-8000-000000000000"',
}


def furnish(sandbox: Sandbox, folder: Path) -> Dict[str, str]:
    """Put into a sandbox what examples need, and return expressions for the places of their placeholders.

    Args:
        sandbox: The sandbox, as new.
        folder: The folder that examples run in.
    """
    (folder / "upload.txt").write_bytes(b"contents")
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        ids = {**_fleet(sandbox, client), **_registry(sandbox, client), **_data(sandbox, client)}
    return {**_VALUES, "file": repr(_archive()), **{name: repr(id) for name, id in ids.items()}}


def _fleet(sandbox: Sandbox, client: ViamClient) -> Dict[str, str]:
    app, organization_id = client.app_client, sandbox.organization_id
    sandbox.sign_in("youremail@email.com")
    app.create_organization_invite(organization_id, "notarealemail@viam.com")
    location_id = app.create_location(organization_id, "Yard").id
    # The first member is deleted in an example; another owner has to be left.
    app.add_role(organization_id, sandbox.sign_in("grace@example.com"), "owner", "organization", organization_id)
    user_id = sandbox.sign_in("alan@example.com")
    app.add_role(organization_id, user_id, "operator", "location", location_id)
    neighbours_id = app.create_organization("Neighbours").id
    for location in app.list_locations(neighbours_id):
        app.delete_location(location.id)
    camera_part_id = app.new_robot_part(sandbox.robot_id, "camera")
    operator = APIKeyAuthorization("operator", "robot", sandbox.robot_id)
    _, key_id = app.create_key(organization_id, [operator], "operator of the rover")
    fragment_id = app.create_fragment(organization_id, "spare").id
    app.update_fragment(fragment_id, "spare", {"components": []})
    return {
        **dict.fromkeys(("organization_id", "org_id", "org_id_to_charge", "org_id_for_branding"), organization_id),
        **dict.fromkeys(("share_location.organization_id", "unshare_location.organization_id"), neighbours_id),
        # The sample organization has locations, and its fragments have users, so it cannot be deleted.
        "delete_organization.org_id": neighbours_id,
        **dict.fromkeys(("user_id", "identity_id", "old_identity_id", "new_identity_id"), user_id),
        "location_id": location_id,
        "parent_location_id": sandbox.location_id,
        "delete_location_secret.secret_id": app.get_location(location_id).auth.secrets[0].id,
        "robot_id": sandbox.robot_id,
        "resource_id": sandbox.robot_id,
        "part_id": sandbox.robot_part_id,
        "robot_part_id": sandbox.robot_part_id,
        # The main part of a machine cannot be deleted, and the other one was never online.
        "delete_robot_part.robot_part_id": camera_part_id,
        "delete_robot_part_secret.secret_id": app.get_robot_part(sandbox.robot_part_id).secrets[0].id,
        "fragment_id": fragment_id,
        "key_id": key_id,
    }


def _registry(sandbox: Sandbox, client: ViamClient) -> Dict[str, str]:
    app, organization_id = client.app_client, sandbox.organization_id
    app.create_registry_item(organization_id, "script", PackageType.PACKAGE_TYPE_ML_TRAINING)
    module_id, _ = app.create_module(organization_id, "hoverboard")
    model = Model(api="rdk:component:base", model="lesson:hoverboard:wheeled")
    app.update_module(module_id, "https://example.com", "A base.", [model], "run.sh")
    app.upload_module_file(ModuleFileInfo(module_id=module_id, version="1.0.0", platform="linux/amd64"), _archive())
    script_id = f"{organization_id}:script"
    return {
        "item_id": module_id,
        "module_id": module_id,
        "update_registry_item.item_id": script_id,
        "registry_item_id": script_id,
    }


def _data(sandbox: Sandbox, client: ViamClient) -> Dict[str, str]:
    organization_id, dataset_id = sandbox.organization_id, sandbox.dataset_id
    binary_data_id = client.data_client.binary_data_by_filter(limit=1)[0][0].metadata.binary_data_id
    training = client.ml_training_client
    classification = ModelType.MODEL_TYPE_SINGLE_LABEL_CLASSIFICATION
    completed_id = training.submit_training_job(organization_id, dataset_id, "fruit", "1", classification, ["ripe"])
    sandbox.advance(3600)
    running_id = training.submit_training_job(organization_id, dataset_id, "fruit", "2", classification, ["ripe"])
    return {
        "dataset_id": dataset_id,
        "binary_id": binary_data_id,
        "binary_data_id": binary_data_id,
        "bbox_id": client.data_client.add_bounding_box_to_image_by_id(binary_data_id, "tomato", 0, 0, 0.5, 0.5),
        "training_job_id": running_id,
        "completed_training_job_id": completed_id,
        "invoice_id": client.billing_client.get_invoices_summary(organization_id).invoices[0].id,
    }


def _archive() -> bytes:
    """Return the smallest archive that can be the file of a module."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("run.sh"))
    return file.getvalue()
