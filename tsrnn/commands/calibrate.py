"""tsrnn calibrate: give a saved model intervals that hold what they say."""

from pathlib import Path
from typing import Annotated

import typer

from tsrnn.commands._base.given import forecaster, history, levels
from tsrnn.commands._base.options import Data, Load


def run(
    model: Annotated[Path, typer.Argument(help="A folder that `tsrnn fit` wrote.")],
    data: Data,
    levels_: Annotated[str, typer.Option("--levels", help="Shares of truths to hold, separated by commas.")] = "0.8",
    adaptive: Annotated[
        bool, typer.Option("--adaptive", help="Let each forecast follow the errors of the newest rows.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the calibrated model; default: where it lies.")] = None,
    load_: Load = None,
) -> None:
    """Learn intervals from a saved model's errors in the last rows of each series, which it must not have learnt from.

    `tsrnn predict` then has a column for each end: `<target>_q0.1` and `<target>_q0.9` for 0.8.
    """
    fitted = forecaster(model, "intervals are of forecasts; probabilities of labels stand beside them")
    fitted.calibrate(history(data, load_, fitted), levels(levels_, "levels"), adaptive=adaptive)
    assert fitted.calibration_ is not None
    ends = ", ".join(f"{level:g}" for level in fitted.calibration_.levels)
    folder = model if out is None else out
    fitted.save(folder)
    typer.echo(f"tsrnn: quantiles {ends} from {fitted.calibration_.residuals} errors of each step: {folder}", err=True)
