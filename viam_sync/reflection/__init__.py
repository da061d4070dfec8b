"""Reflection: every RPC of the schema, called by its name with JSON, and described."""
