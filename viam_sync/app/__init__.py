"""The clients, under the module names of the official SDK."""
