"""Sample paths."""
