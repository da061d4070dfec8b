"""From gRPC to the methods that answer calls: dispatch, authentication, TLS and threads."""
