"""The modules that hold the messages of the .proto files, under the names of the official SDK."""

#: The module of the messages of a file, by the first part of the file's name that fits.
_MODULES = (
    ("app/v1/app.proto", "app"),
    ("app/v1/billing.proto", "app.billing"),
    ("app/v1/end_user.proto", "app.end_user"),
    ("app/v1/robot.proto", "app.robot"),
    ("app/", "app.{1}"),
    ("proto/rpc/v1/", "rpc.auth"),
    ("proto/rpc/webrtc/v1/grpc.proto", "rpc.webrtc.grpc"),
    ("proto/rpc/webrtc/v1/signaling.proto", "rpc.webrtc.signaling"),
    ("service/", "service.{1}"),
    ("google/", "google"),
    ("", "{0}"),
)


def module_of(file_name: str) -> str:
    """Return the module, below ``viam_sync.proto``, that holds the messages of a .proto file."""
    pattern = next(module for start, module in _MODULES if file_name.startswith(start))
    return pattern.format(*file_name.split("/"))
