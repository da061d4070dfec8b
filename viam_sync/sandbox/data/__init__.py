"""Captured data: files, datasets, tags, bounding boxes and readings."""
