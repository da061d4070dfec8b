"""The calls that the schedules of the oracle are made of."""

import os
from typing import List

from viam_sync.app.app_client import APIKeyAuthorization
from viam_sync.app.viam_client import ViamClient
from viam_sync.proto.app import mltraining as mltraining_pb

from .items import (
    Call,
    Item,
    Write,
    counted,
    file_id,
    files_are_gone,
    has_metadata,
    id_of,
    in_body,
    is_gone,
    is_in_dataset,
    is_untagged,
    readings_stored,
    rotated,
    stored,
    the_email,
    the_mark,
)

_MODEL = mltraining_pb.ModelType.MODEL_TYPE_SINGLE_LABEL_CLASSIFICATION


def _dataset(client: ViamClient, item: Item) -> str:
    return client.data_client.create_dataset(item.before, item.sandbox.organization_id)


def _location(client: ViamClient, item: Item) -> str:
    return client.app_client.create_location(item.sandbox.organization_id, item.before).id


def _robot(client: ViamClient, item: Item) -> str:
    return client.app_client.new_robot(item.before, item.sandbox.location_id)


def _part(client: ViamClient, item: Item) -> str:
    return client.app_client.new_robot_part(item.sandbox.robot_id, item.before)


def _fragment(client: ViamClient, item: Item) -> str:
    return client.app_client.create_fragment(item.sandbox.organization_id, item.before, {}).id


def _new_key(client: ViamClient, item: Item, name: str) -> str:
    allowed = [APIKeyAuthorization("operator", "robot", item.sandbox.robot_id)]
    return client.app_client.create_key(item.sandbox.organization_id, allowed, name)[1]


def _key(client: ViamClient, item: Item) -> str:
    return _new_key(client, item, item.before)


def _invite(client: ViamClient, item: Item) -> str:
    return client.app_client.create_organization_invite(item.sandbox.organization_id, item.email).email


def _file(client: ViamClient, item: Item) -> str:
    part_id = item.sandbox.robot_part_id
    return client.data_client.binary_data_capture_upload(b"*", part_id, "camera", item.before, "GetImages", ".png")


def _two_files(client: ViamClient, item: Item) -> List[str]:
    return [_file(client, item), _file(client, item)]


def _tagged_file(client: ViamClient, item: Item) -> str:
    id = _file(client, item)
    client.data_client.add_tags_to_binary_data_by_ids([item.mark], [id])
    return id


def _file_in_dataset(client: ViamClient, item: Item) -> str:
    id = _file(client, item)
    client.data_client.add_binary_data_to_dataset_by_ids([id], item.sandbox.dataset_id)
    return id


def _draw(client: ViamClient, file_id: str, label: str) -> str:
    return client.data_client.add_bounding_box_to_image_by_id(file_id, label, 0.1, 0.2, 0.3, 0.4)


def _box(client: ViamClient, item: Item) -> List[str]:
    file_id = _file(client, item)
    return [_draw(client, file_id, item.before), file_id]


def _submit(client: ViamClient, item: Item) -> str:
    sandbox, tags = item.sandbox, ["ripe", "unripe"]
    return client.ml_training_client.submit_training_job(
        sandbox.organization_id, sandbox.dataset_id, item.mark, "1", _MODEL, tags
    )


def _charge(client: ViamClient, item: Item) -> str:
    return client.billing_client.charge_organization(item.sandbox.organization_id, 12.5, 1.5, item.mark).invoice_id


def _charge_at_once(client: ViamClient, item: Item) -> str:
    billing = client.billing_client
    return billing.create_invoice_and_charge_immediately(item.sandbox.organization_id, 5, item.mark).invoice_id


def _capture(client: ViamClient, item: Item) -> str:
    part_id = item.sandbox.robot_part_id
    return client.data_client.binary_data_capture_upload(item.contents, part_id, "camera", item.mark, "GetImages", ".x")


def _readings(client: ViamClient, item: Item) -> None:
    rows = [{"celsius": 20.5}, {"celsius": 21.0}]
    client.data_client.tabular_data_capture_upload(rows, item.sandbox.robot_part_id, "sensor", item.mark, "Readings")


def _stream(client: ViamClient, item: Item) -> str:
    part_id = item.sandbox.robot_part_id
    return client.data_client.streaming_data_capture_upload(item.contents, part_id, ".x", component_name=item.mark)


def _upload(client: ViamClient, item: Item) -> str:
    return client.data_client.file_upload(item.sandbox.robot_part_id, item.contents, component_name=item.mark)


def _upload_path(client: ViamClient, item: Item) -> str:
    path = item.folder / item.mark
    path.write_bytes(item.contents)
    return client.data_client.file_upload_from_path(path, item.sandbox.robot_part_id, component_name=item.mark)


def _upload_pipe(client: ViamClient, item: Item) -> str:
    from_here, to_there = os.pipe()
    with os.fdopen(from_here, "rb") as pipe:
        with os.fdopen(to_there, "wb") as end:
            end.write(item.contents)
        return client.data_client.file_upload(item.sandbox.robot_part_id, pipe, component_name=item.mark)


def _deletion(rpc: str, call: Call, table: str, prepare: Call) -> Write:
    return Write(rpc, "DELETE", call, is_gone(table), prepare)


WRITES: List[Write] = [
    Write(
        "CreateDataset",
        "NON_IDEMPOTENT",
        lambda client, item: client.data_client.create_dataset(item.mark, item.sandbox.organization_id),
        counted("datasets"),
        answer=id_of("datasets"),
    ),
    Write(
        "MergeDatasets",
        "NON_IDEMPOTENT",
        lambda client, item: client.data_client.merge_datasets(
            item.mark, item.sandbox.organization_id, [item.sandbox.dataset_id, item.subject]
        ),
        counted("datasets"),
        _dataset,
        id_of("datasets"),
    ),
    Write(
        "CreateLocation",
        "NON_IDEMPOTENT",
        lambda client, item: client.app_client.create_location(item.sandbox.organization_id, item.mark).name,
        in_body("locations"),
        answer=the_mark,
    ),
    Write(
        "CreateOrganization",
        "NON_IDEMPOTENT",
        lambda client, item: client.app_client.create_organization(item.mark).name,
        in_body("organizations"),
        answer=the_mark,
    ),
    Write(
        "NewRobot",
        "NON_IDEMPOTENT",
        lambda client, item: client.app_client.new_robot(item.mark, item.sandbox.location_id),
        counted("robots"),
        answer=id_of("robots"),
    ),
    Write(
        "NewRobotPart",
        "NON_IDEMPOTENT",
        lambda client, item: client.app_client.new_robot_part(item.sandbox.robot_id, item.mark),
        counted("parts"),
        answer=id_of("parts"),
    ),
    Write(
        "CreateFragment",
        "NON_IDEMPOTENT",
        lambda client, item: client.app_client.create_fragment(item.sandbox.organization_id, item.mark, {}).id,
        counted("fragments"),
        answer=id_of("fragments"),
    ),
    Write(
        "CreateKey",
        "NON_IDEMPOTENT",
        lambda client, item: _new_key(client, item, item.mark),
        counted("keys"),
        answer=id_of("keys"),
    ),
    Write(
        "RotateKey",
        "NON_IDEMPOTENT",
        lambda client, item: client.app_client.rotate_key(item.subject)[1],
        rotated,
        _key,
        lambda item: item.rows("SELECT id FROM keys WHERE name = ?", item.before)[0]["id"],
    ),
    Write("CreateOrganizationInvite", "NON_IDEMPOTENT", _invite, in_body("invites"), answer=the_email),
    Write(
        "CreateModule",
        "NON_IDEMPOTENT",
        lambda client, item: client.app_client.create_module(item.sandbox.organization_id, item.mark)[0],
        counted("items"),
    ),
    Write(
        "SubmitTrainingJob",
        "NON_IDEMPOTENT",
        _submit,
        counted("training_jobs", "model_name"),
        answer=id_of("training_jobs", "model_name"),
    ),
    Write(
        "ChargeOrganization",
        "NON_IDEMPOTENT",
        _charge,
        counted("invoices", "description"),
        answer=id_of("invoices", "description"),
    ),
    Write(
        "CreateInvoiceAndChargeImmediately",
        "NON_IDEMPOTENT",
        _charge_at_once,
        counted("invoices", "description"),
        answer=id_of("invoices", "description"),
    ),
    Write(
        "AddBoundingBoxToImageByID",
        "NON_IDEMPOTENT",
        lambda client, item: _draw(client, item.subject, item.mark),
        counted("boxes", "label"),
        _file,
        id_of("boxes", "label"),
    ),
    Write("DataCaptureUpload", "NON_IDEMPOTENT", _capture, stored, answer=file_id),
    Write("DataCaptureUpload", "NON_IDEMPOTENT", _readings, readings_stored),
    Write("StreamingDataCaptureUpload", "UPLOAD", _stream, stored, answer=file_id),
    Write("FileUpload", "UPLOAD", _upload, stored, answer=file_id),
    Write("FileUpload", "UPLOAD", _upload_path, stored, answer=file_id),
    Write("FileUpload", "PIPE", _upload_pipe, stored, answer=file_id),
    Write(
        "RenameDataset",
        "IDEMPOTENT",
        lambda client, item: client.data_client.rename_dataset(item.subject, item.mark),
        counted("datasets"),
        _dataset,
    ),
    Write(
        "UpdateLocation",
        "IDEMPOTENT",
        lambda client, item: client.app_client.update_location(item.subject, item.mark).name,
        in_body("locations"),
        _location,
        the_mark,
    ),
    Write(
        "UpdateRobot",
        "IDEMPOTENT",
        lambda client, item: client.app_client.update_robot(item.subject, item.mark, item.sandbox.location_id).name,
        counted("robots"),
        _robot,
        the_mark,
    ),
    Write(
        "AddFavoriteMachine",
        "IDEMPOTENT",
        lambda client, item: client.app_client.add_favorite_machine(item.subject),
        lambda item: item.count("SELECT COUNT(*) FROM favorites WHERE robot_id = ?", item.subject),
        _robot,
    ),
    Write(
        "UpdateRobotMetadata",
        "IDEMPOTENT",
        lambda client, item: client.app_client.update_robot_metadata(item.subject, {"mark": item.mark}),
        has_metadata,
        _robot,
    ),
    Write(
        "AddTagsToBinaryDataByIDs",
        "IDEMPOTENT",
        lambda client, item: client.data_client.add_tags_to_binary_data_by_ids([item.mark], [item.subject]),
        counted("file_tags", "tag"),
        _file,
    ),
    Write(
        "RemoveTagsFromBinaryDataByIDs",
        "IDEMPOTENT",
        lambda client, item: client.data_client.remove_tags_from_binary_data_by_ids([item.mark], [item.subject]),
        is_untagged,
        _tagged_file,
    ),
    Write(
        "AddBinaryDataToDatasetByIDs",
        "IDEMPOTENT",
        lambda client, item: client.data_client.add_binary_data_to_dataset_by_ids(
            [item.subject], item.sandbox.dataset_id
        ),
        is_in_dataset,
        _file,
    ),
    Write(
        "RemoveBinaryDataFromDatasetByIDs",
        "IDEMPOTENT",
        lambda client, item: client.data_client.remove_binary_data_from_dataset_by_ids(
            [item.subject], item.sandbox.dataset_id
        ),
        lambda item: 1 - is_in_dataset(item),
        _file_in_dataset,
    ),
    Write(
        "UpdateBoundingBox",
        "IDEMPOTENT",
        lambda client, item: client.data_client.update_bounding_box(
            item.subject[1], item.subject[0], item.mark, 0.1, 0.2, 0.3, 0.4
        ),
        counted("boxes", "label"),
        _box,
    ),
    _deletion(
        "DeleteDataset", lambda client, item: client.data_client.delete_dataset(item.subject), "datasets", _dataset
    ),
    _deletion(
        "DeleteLocation", lambda client, item: client.app_client.delete_location(item.subject), "locations", _location
    ),
    _deletion("DeleteRobot", lambda client, item: client.app_client.delete_robot(item.subject), "robots", _robot),
    _deletion(
        "DeleteRobotPart", lambda client, item: client.app_client.delete_robot_part(item.subject), "parts", _part
    ),
    _deletion(
        "DeleteFragment", lambda client, item: client.app_client.delete_fragment(item.subject), "fragments", _fragment
    ),
    _deletion("DeleteKey", lambda client, item: client.app_client.delete_key(item.subject), "keys", _key),
    Write(
        "DeleteOrganizationInvite",
        "DELETE",
        lambda client, item: client.app_client.delete_organization_invite(item.sandbox.organization_id, item.subject),
        is_gone("invites", "email"),
        _invite,
    ),
    Write(
        "DeleteBinaryDataByIDs",
        "DELETE_SOME",
        lambda client, item: client.data_client.delete_binary_data_by_ids(item.subject),
        files_are_gone,
        _two_files,
        lambda item: 2,
    ),
    Write(
        "GetLocation",
        "READ",
        lambda client, item: client.app_client.get_location(item.subject).name,
        lambda item: 0,
        _location,
        lambda item: item.before,
    ),
    Write(
        "BinaryDataByIDs",
        "READ",
        lambda client, item: len(client.data_client.binary_data_by_ids(item.subject)),
        lambda item: 0,
        _two_files,
        lambda item: 2,
    ),
]
