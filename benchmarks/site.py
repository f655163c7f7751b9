"""A hook of mkdocs: the boards of benchmarks/results as pages of the documents, made anew whenever these are built."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mkdocs.structure.files import File, Files

from tsrnn import page

RESULTS = Path(__file__).parent / "results"
FOLDER = "boards"


def on_files(files: Files, config: Any) -> Files:
    """Add a page per data set, and the one over all of them, under `boards/`."""
    with TemporaryDirectory() as folder:
        for path in page.site(RESULTS, Path(folder)):
            made = path.read_text(encoding="utf-8")
            files.append(File.generated(config, f"{FOLDER}/{path.name}", content=made))
    return files
