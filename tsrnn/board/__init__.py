"""What is compared: rows on disk, other people's numbers, tests of difference, tie groups, tables, text.

The files stand in this order, and each imports those before it alone: beside, rows, lines, published, own, difference,
ties, ranks, skill, apart, pooled, table, choice, remarks, group, formats, text.
"""
