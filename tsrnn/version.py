"""The version of this tsrnn, as it was installed."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("tsrnn")
except PackageNotFoundError:  # run from a source tree that was never installed
    VERSION = "0+unknown"
