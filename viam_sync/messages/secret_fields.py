"""The fields of messages that hold a secret, or may, in one list, for all that shows messages."""

from google.protobuf.descriptor import FieldDescriptor

#: Stands for a secret where one is hidden.
HIDDEN = "(hidden)"

#: Secrets, and what opens something by itself, such as a signed URL.
_SECRETS = """
proto.rpc.v1.AuthenticateResponse.access_token
proto.rpc.v1.AuthenticateToResponse.access_token
proto.rpc.v1.Credentials.payload
proto.rpc.webrtc.v1.AnswerRequestInitStage.caller_auth_metadata
proto.rpc.webrtc.v1.AnswerRequestInitStage.sdp
proto.rpc.webrtc.v1.AnswerResponseInitStage.sdp
proto.rpc.webrtc.v1.CallRequest.sdp
proto.rpc.webrtc.v1.CallResponseInitStage.sdp
proto.rpc.webrtc.v1.ICEServer.credential
proto.rpc.webrtc.v1.Metadata.md
viam.app.data.v1.ConfigureDatabaseUserRequest.password
viam.app.data.v1.CreateBinaryDataSignedURLResponse.signed_url
viam.app.dataset.v1.GetSequenceDatasetExportResponse.download_url
viam.app.v1.APIKey.key
viam.app.v1.CertificateResponse.tls_private_key
viam.app.v1.CloudConfig.location_secret
viam.app.v1.CloudConfig.secret
viam.app.v1.CreateKeyFromExistingKeyAuthorizationsResponse.key
viam.app.v1.CreateKeyResponse.key
viam.app.v1.CreateOAuthAppResponse.client_secret
viam.app.v1.CreateOAuthAppUserRequest.password
viam.app.v1.CreateOAuthAppUserResponse.auth_token
viam.app.v1.CreateOAuthAppUserResponse.refresh_token
viam.app.v1.GetAuthApplicationResponse.client_secret
viam.app.v1.GetDevicePushTokensResponse.device_tokens
viam.app.v1.LocationAuth.secret
viam.app.v1.LocationSecret.secret
viam.app.v1.ReadOAuthAppResponse.client_secret
viam.app.v1.RegisterAuthApplicationResponse.client_secret
viam.app.v1.RemoteAuth.Credentials.payload
viam.app.v1.RemoteConfig.secret
viam.app.v1.RobotPart.secret
viam.app.v1.RotateKeyResponse.key
viam.app.v1.SharedSecret.secret
viam.app.v1.UploadDevicePushTokenRequest.device_token
viam.provisioning.v1.APIKey.key
viam.provisioning.v1.CloudConfig.secret
viam.provisioning.v1.SetNetworkCredentialsRequest.psk
"""

#: Configurations, in which people write passwords and keys.
_CONFIGURATIONS = """
viam.app.agent.v1.DeviceAgentConfigResponse.network_configuration
viam.app.agent.v1.DeviceAgentConfigResponse.system_configuration
viam.app.agent.v1.DeviceSubsystemConfig.attributes
viam.app.cloudslam.v1.MappingMetadata.config
viam.app.cloudslam.v1.StartMappingSessionRequest.slam_config
viam.app.v1.AuthHandlerConfig.config
viam.app.v1.ComponentConfig.attributes
viam.app.v1.CreateFragmentRequest.config
viam.app.v1.Fragment.fragment
viam.app.v1.Fragment.fragment_config_json
viam.app.v1.FragmentHistoryEntry.config
viam.app.v1.FragmentImport.fragment_variables
viam.app.v1.FragmentImport.variables
viam.app.v1.GetRobotPartResponse.config_json
viam.app.v1.ModuleConfig.env
viam.app.v1.ProcessConfig.env
viam.app.v1.ResolvedFragment.resolved_config
viam.app.v1.ResourceLevelServiceConfig.attributes
viam.app.v1.RobotPart.robot_config
viam.app.v1.RobotPart.robot_config_json
viam.app.v1.ServiceConfig.attributes
viam.app.v1.SetFirebaseConfigRequest.config_json
viam.app.v1.UpdateFragmentRequest.config
viam.app.v1.UpdateFragmentRequest.fragment_config_json
viam.app.v1.UpdateRobotPartRequest.robot_config
viam.app.v1.UpdateRobotPartRequest.robot_config_json
"""

#: The full names of the fields; records of ours leave those of the same names out of their ``repr``.
SECRET_FIELDS = frozenset((_SECRETS + _CONFIGURATIONS).split())


def is_secret(field: FieldDescriptor) -> bool:
    """Tell whether a field of a message holds a secret, or may; the message may be one of another pool.

    Example:
        >>> from viam_sync.messages.secret_fields import is_secret
        >>> fields = pb.SharedSecret.DESCRIPTOR.fields_by_name
        >>> is_secret(fields["id"]), is_secret(fields["secret"])
        (False, True)
    """
    return field.full_name in SECRET_FIELDS
