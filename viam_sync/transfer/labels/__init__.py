"""Images with labels, in the formats of training tools."""
