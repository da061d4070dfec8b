"""What is done by hand around the calls: files, pages, streams of data."""
