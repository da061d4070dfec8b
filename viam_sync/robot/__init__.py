"""The options of a connection, where the official SDK hands them on; machines themselves are driven by that SDK."""
