"""Exports of files on a cluster."""


def export_binary_data():
    """To do."""
