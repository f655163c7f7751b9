"""One file per format; a reader's name is its file's name.

Each holds `SUFFIXES`, the endings it answers to, and `read(path) -> polars.DataFrame`: the table as the file
has it, numbers as numbers, dates as dates, missing cells null. What each column is for is `Panel.of`'s business.
"""
