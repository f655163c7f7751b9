"""Slow, obvious float64 twins, written from the papers; none imports tsrnn."""
