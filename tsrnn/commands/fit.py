"""tsrnn fit: a model trained on one file or data set, and saved."""

from pathlib import Path
from typing import Annotated, Any

import typer

from tsrnn.commands._base.given import at_least_one, dataset, loading, parameters, refuse, roles, station
from tsrnn.commands._base.options import (
    Config,
    Data,
    DateFormat,
    Duplicates,
    Freq,
    Id,
    Load,
    Missing,
    OfModels,
    OnShort,
    Set,
    Target,
    TaskName,
    Time,
    Wind,
)

Past = Annotated[list[str] | None, typer.Option("--past", help="Covariate known up to now; repeat for several.")]
Future = Annotated[list[str] | None, typer.Option("--future", help="Covariate known ahead; repeat for several.")]
_INPUT_SIZE, _HORIZON = 96, 24  # of a forecast


def run(  # noqa: PLR0913  one parameter per option
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder to save the model into.")],
    model: Annotated[str | None, OfModels] = None,
    input_size: Annotated[
        int | None, typer.Option(help="Rows read at once, the look-back; by default 96, or the task's own.")
    ] = None,
    horizon: Annotated[int | None, typer.Option(help="Steps to forecast; by default 24.")] = None,
    quantiles: Annotated[str | None, typer.Option(help="Levels, separated by commas, such as 0.1,0.5,0.9.")] = None,
    on_short: OnShort = None,
    config: Config = None,
    set_: Set = None,
    time: Time = None,
    target: Target = None,
    id: Id = None,
    date_format: DateFormat = None,
    freq: Freq = None,
    missing: Missing = None,
    wind: Wind = None,
    duplicates: Duplicates = None,
    load_: Load = None,
    past: Past = None,
    future: Future = None,
    picture: Annotated[
        Path | None, typer.Option("--plot", help="Draw the losses by epoch into this png, svg or pdf file.")
    ] = None,
    task: TaskName = None,
    seeds: Annotated[
        int | None,
        typer.Option(help="Of forecasts: train this many seeds at once, and save their mean as one model."),
    ] = None,
) -> None:
    """Train a model on a file or a data set and save it."""
    from tsrnn import faces, labels, load, models, plot, store, tasks
    from tsrnn.console import wrote
    from tsrnn.errors import held, singular

    if picture is not None:
        plot.check(picture)  # before the training
    task = task or tasks.AHEAD.name
    if not tasks.find(task).forecasts:
        unread = {"horizon": horizon, "quantiles": quantiles, "on_short": on_short}
        refuse(f"the task {task!r} forecasts nothing", **unread)
        alone = "fit each by itself, with --set random_state=N and a folder of its own"
        refuse(f"forecasts of several seeds are averaged, and the task {task!r} makes none: {alone}", seeds=seeds)
    if seeds is not None:
        refuse("seeds have losses of their own", plot=picture)
    usual = {"input_size": _INPUT_SIZE, "horizon": _HORIZON} if tasks.find(task).forecasts else {}
    params = usual | parameters(model, input_size, horizon, quantiles, config, set_, on_short)
    columns = roles(time, target, id, past, future, date_format, freq) | station(missing, wind, duplicates)
    columns |= loading(load_)
    columns |= {} if tasks.find(task).shows else {"labels": True}
    with held() as notices:
        panel = load(dataset(data), **columns)
        if not tasks.find(task).shows:
            labels.asked(panel, target=None, inputs=None, roles={})  # refused before anything is said of the others
    notices()
    estimator = faces.of(task)(**params)
    models.check_filed(estimator.model, estimator.configs()[0])
    store.check_free(out, store.MODEL if task == tasks.AHEAD.name else getattr(estimator, "kind", None))
    fitted: Any = estimator.fit(panel) if seeds is None else _mean(estimator, panel, seeds)
    fitted.save(out)
    report = fitted.report_
    if picture is not None:
        plot.losses(report.losses, report.best_epoch, picture)
    typer.echo(singular(f"{out}: {fitted.model}, {report.epochs} epochs, {report.seconds:.1f} s"), err=True)
    if picture is not None:
        wrote(picture)


def _mean(estimator: Any, panel: Any, seeds: int) -> Any:
    """The mean of so many seeds, and a line on the validation of each."""
    from tsrnn import fit_seeds
    from tsrnn.errors import singular
    from tsrnn.side_by_side import mean

    fitted = fit_seeds(estimator, panel, at_least_one(seeds, "seeds") or 1)
    for seed, each in enumerate(fitted):
        said = f"seed {seed}: validation {each.report_.val_loss:.4g}, {each.report_.epochs} epochs"
        typer.echo(singular(said), err=True)
    return mean(fitted)
