"""The messages: their private descriptor pool, their classes, and the conversion between them and plain values."""
