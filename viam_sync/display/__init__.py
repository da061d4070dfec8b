"""How things are shown: as tables and thumbnails in a notebook, as text on a terminal, as what JSON can hold."""
