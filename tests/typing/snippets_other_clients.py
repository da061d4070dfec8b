"""The documented types of what the smaller clients return, and of how one comes to a client, are inferred."""

from typing import List, Optional

from typing_extensions import assert_type

from viam_sync.app.viam_client import (
    AppClient,
    BillingClient,
    DataClient,
    DialOptions,
    MLTrainingClient,
    ProvisioningClient,
    ViamClient,
)
from viam_sync.proto import provisioning as provisioning_pb
from viam_sync.proto.app import billing as billing_pb
from viam_sync.proto.app import mltraining as mltraining_pb
from viam_sync.rpc.dial import Credentials


def training(client: MLTrainingClient) -> None:
    kind = mltraining_pb.ModelType.MODEL_TYPE_OBJECT_DETECTION
    assert_type(client.submit_training_job("o", "d", "cats", "v1", kind, ["tabby"]), str)
    assert_type(client.submit_custom_training_job("o", "d", "acme:script", "cats", "v1"), str)
    assert_type(client.submit_custom_training_job("o", "d", "a:s", "cats", "v1", registry_item_version="1"), str)
    assert_type(client.get_training_job("j"), mltraining_pb.TrainingJobMetadata)
    failed = mltraining_pb.TrainingStatus.TRAINING_STATUS_FAILED
    assert_type(client.list_training_jobs("o", failed), List[mltraining_pb.TrainingJobMetadata])
    assert_type(client.cancel_training_job("j"), None)
    assert_type(client.delete_completed_training_job("j"), None)
    assert_type(client.list_containers("o"), List[mltraining_pb.Container])
    assert_type(client.get_container("c"), mltraining_pb.Container)
    assert_type(client.register_custom_training_container("o", "docker.io/own", "Mine."), str)
    assert_type(client.delete_custom_training_container("c"), None)


def billing(client: BillingClient) -> None:
    assert_type(client.get_current_month_usage("o", 5), billing_pb.GetCurrentMonthUsageResponse)
    assert_type(client.get_org_billing_information("o"), billing_pb.GetOrgBillingInformationResponse)
    assert_type(client.get_invoices_summary("o"), billing_pb.GetInvoicesSummaryResponse)
    assert_type(client.get_invoice_pdf("i", "o", "invoice.pdf"), None)
    client.get_invoice_pdf("i", "o")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def provisioning(client: ProvisioningClient) -> None:
    assert_type(client.get_network_list(), List[provisioning_pb.NetworkInfo])
    assert_type(client.get_smart_machine_status(), provisioning_pb.GetSmartMachineStatusResponse)
    assert_type(client.set_network_credentials("wifi", "Workshop", "hush-hush"), None)
    assert_type(client.set_smart_machine_credentials(provisioning_pb.CloudConfig(id="m")), None)


def options(chosen: DialOptions) -> None:
    assert_type(DialOptions.with_api_key("key", "id"), DialOptions)
    assert_type(chosen.disable_webrtc, bool)
    assert_type(chosen.auth_entity, Optional[str])
    assert_type(chosen.credentials, Optional[Credentials])
    assert_type(chosen.insecure, bool)
    assert_type(chosen.allow_insecure_downgrade, bool)
    assert_type(chosen.allow_insecure_with_creds_downgrade, bool)
    assert_type(chosen.max_reconnect_attempts, int)
    assert_type(chosen.timeout, float)


def connection(chosen: DialOptions) -> None:
    client = ViamClient.create_from_dial_options(chosen, "https://app.example.com")
    assert_type(client, ViamClient)
    assert_type(client.app_client, AppClient)
    assert_type(client.data_client, DataClient)
    assert_type(client.ml_training_client, MLTrainingClient)
    assert_type(client.billing_client, BillingClient)
    assert_type(client.provisioning_client, ProvisioningClient)
    assert_type(client.close(), None)
    client.app_client = client.app_client  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
