"""The messages by hand: their private descriptor pool, their classes, and the conversion of plain values."""
