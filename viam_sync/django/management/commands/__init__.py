"""The commands: ``manage.py viam_…``."""
