"""What the last numbers of a model mean: a point, quantiles. One head per file; the file's name is the head's.

A head file has one class `HEAD`, derived from `_base.Head`.
"""
