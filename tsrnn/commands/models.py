"""tsrnn models: the shelf of forecasters."""

from tsrnn.commands._base import Json


def run(json_: Json = False) -> None:
    """List the models by the names that users type, with the options that a sweep may vary."""
    from tsrnn.console import show
    from tsrnn.registry import about, names

    rows = [
        {"name": name, "file": f"models/{file}.py", "about": about("models", file)}
        for name, file in names("models").items()
    ]
    show(rows, as_json=json_)
