"""Commands, one per file: the file's name is the command, its `run` is what the command does.

The docstring of `run` is the help, its parameters are the options; what several commands take is in `_base`. The app
imports every file before it knows which command is asked for, so what is slow to import (torch, polars, rich, and the
rooms that need them) is imported inside functions.
"""
