"""What is compared: rows on disk, other people's numbers, tests of difference, tie groups, tables, text.

The files stand in this order: rows, published, difference, ties, table, text; each imports those before it alone.
"""
