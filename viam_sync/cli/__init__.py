"""The command line: ``viam-sync``, on click and rich, which this room alone uses."""
