"""The parts of calls that are written by hand: paging, uploads, exports, and files on disk."""
