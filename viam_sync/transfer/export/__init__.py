"""Bringing files home into a folder, in a way that survives a crash."""
