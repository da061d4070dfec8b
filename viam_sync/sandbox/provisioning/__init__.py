"""A device that is set up over its own hotspot."""
