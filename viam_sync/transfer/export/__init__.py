"""The export of files into a folder, which survives a crash."""
