"""The rooms of the package in the order of the map, which stands in the docstring of `tsrnn`."""

import re

import tsrnn


def the_map() -> list[str]:
    """The rooms in the order of the docstring's indented lines."""
    lines = re.findall(r"^ {4}((?:\w+/?, )*\w+/?)(?: |$)", tsrnn.__doc__ or "", re.MULTILINE)
    return [name.removesuffix("/") for line in lines for name in line.split(", ")]
