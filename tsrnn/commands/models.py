"""tsrnn models: the shelf of forecasters."""

from dataclasses import replace
from inspect import cleandoc
from typing import Annotated, Any

import typer

from tsrnn.commands._base.options import Json
from tsrnn.errors import InputError

_CAPTION = (
    "reads: what a forecast depends on besides the targets' past: past covariates, those known ahead, static ones, the "
    "mask of measured cells. parameters: by default, input_size 96, horizon 24, one target, no covariates."
)


def run(
    task: Annotated[
        str,
        typer.Option(
            help="ahead: forecasters; along: models that say something of each row; whole: of each series; "
            "reconstruct: autoencoders; generate: what makes sequences; detect: what finds anomalies."
        ),
    ] = "ahead",
    json_: Json = False,
) -> None:
    """List the models by the names that users type: what they are and read, how large they are, and whose."""
    from tsrnn import tasks
    from tsrnn.console import show

    rows = [_described(name, place) for name, place in tasks.models_of(task).items()]
    if json_:
        show(rows, as_json=True)
        return
    shown = [
        {
            "name": row["name"],
            "reads": " ".join(row["reads"]),
            "parameters": "" if row["parameters"] is None else f"{row['parameters']:>10,}",
            "about": f"{row['about']} ({row['paper']})" if row["paper"] else row["about"],
        }
        for row in rows
    ]
    show(shown, as_json=False, caption=_CAPTION)


def _described(name: str, place: str) -> dict[str, Any]:
    """What a model says of itself, and how it turns out by default; of one that cannot be imported, why."""
    from tsrnn import infer, models
    from tsrnn.models._base import READABLE
    from tsrnn.registry import about, declared, is_own, sentence
    from tsrnn.shapes import Spec

    said: dict[str, Any] = {
        "name": name,
        "file": place,
        "about": about("models", name),
        "reads": [],
        "parameters": None,
    }
    spec = Spec(input_size=96, horizon=24, channels=1, targets=1)
    try:
        try:
            model = models.build(name, models.configure(name, {}), spec)
        except InputError:  # of one that takes labels alone, as many as there are at least
            model = models.build(name, models.configure(name, {}), replace(spec, params=2))
    except Exception as fault:
        if is_own("models", name) and not isinstance(fault, InputError):
            raise
        return {**said, "about": str(fault) or type(fault).__name__, "paper": ""}
    if ":" in place:
        said["about"] = sentence(cleandoc(vars(type(model)).get("__doc__") or ""))
    reads = [readable for readable in READABLE if readable in model.reads]
    paper = declared("models", name, "PAPER")
    return {**said, "reads": reads, "parameters": infer.parameters(model), "paper": paper}
