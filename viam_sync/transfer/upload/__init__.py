"""Sending files: what they hold, in which order, and what was sent already."""
