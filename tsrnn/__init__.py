"""tsrnn: recurrent forecasting for sequences measured in the world.

The map, in the order in which data meets the rooms:

    version, errors, journal, alive, files, syntax, registry, settings, places, options   what every room may use
    allocator, provenance, progress             the machine; what is needed to run a result again; the time left
    seeding                                     where random numbers come from
    arrays, pages, yardsticks    numbers in memory, and in files that are mapped into it; what came before a row
    split, moments, scale, usual, shapes        cut before you look; what is done where nothing was said
    metrics, agreement, vus, conformal          measures of a forecast, of labels, of scores; intervals that hold
    steps, frequency, almanac, cadence, index   what one step is, by name or from the rows; gaps, and what comes next
    reading                                     what a file held: its table, units, and notes on what was met
    forks, frames, figures, written, epochs, dates  what a foreign frame, a number and a date look like
    parted, missing, wind                       times in several columns, what stands for a missing value, u and v
    levels, axis, roles, series                 columns find their roles
    holes, station, intake, digests             what a station writes; what counts becomes numbers; holes filled
    units, families, physical, transforms       factors between units; names and ranges of curves; logarithms
    panel, future, ends, answer, hindcast, verify    frames in one normal form; their ends, the steps ahead; forecasts
    classed, labels, resample, refine, describe  which labels a column holds, and their numbers; another step; panels
    heading, layout, gridded, logs/, readers/, stacked    what lies in files
    simulate, faults, complete, gaps            small worlds, what breaks in them; what counts; curves with holes
    mapped/                                     Parquet larger than memory, streamed into files that are mapped
    packaged, packaged_anomalies, packaged_competitions, catalog    data sets that packages carry; data sets by name
    tasks/                                      what is asked of a window
    features, masks, recalled, laid, buffer, prepare    covariates, holes; one buffer of scaled numbers
    anchors, draws, windows, unread, unmeasured    where windows hang, which make a batch: starts -> batches
    phases                                      a training in several phases, each with an optimizer of its own
    cells/, recurrence/, layers/, heads/, models/    the shelves: one thing per file, the file's name is its name
    parameters, batches, tally, infer           how to train; forecasts and scores
    overlap, residuals, anomalies               windows that overlap; how far a row is from what is said of it
    calibration, paths, rollout, online         intervals by past errors; sample paths, fed back; what came true since
    trial, trained, fit/                        models of others tried; what a training leaves; Lightning
    cutoffs, backtest, header, store, rebuild   rolling origins; saved models, held against themselves when read
    streaming/                                  forecasts of a stream, one new row of each series at a time
    stepper, exporting/                         a recurrence in numpy; graphs for other programs
    las_writer                                  well logs for other programs
    plot/, drift/, card, facts                  pictures; has the world moved away? what there is to say of a model
    estimator, asked, kept, judged, evaluation  what every face shares; whose split; cards; what stands out; hindsight
    watched, saving                             drift of a forecaster's errors; written and read again
    operation, forecaster                       at work; the bed of the river
    weighing, penalty, stratified               how much a label counts, and what a wrong one costs
    labelled, marks, tagger, reconstructor      labels and values told; one for each row; windows told again
    flagged, detector                           whether what stands out is what is labelled
    cases, sequences, whole_series, classifier  one for each series, from all of its rows
    synthesis/, made, generator                 sequences made of noise; how like real ones they are
    faces                                       which estimator does a task
    testing                                     the contracts, for people's own models and cells
    workers, clusters, execute/, claims, tune/   many fits: processes, Ray; jobs; who does which; sweeps
    side_by_side                                several seeds of one estimator at once
    console, terminal, spoken                   what a person sees, what a program reads; signals; options' words
    suites/, board/, page/, bench/              benchmarks as data; rows, tests of difference, boards; pages; the runner
    submission/                                 rows of other people, held against the protocol
    machine, probe, diagnose                    looking inside: what this machine has, what a network remembers
    commands/, cli, __main__                    names -> objects: one command per file

A room imports only rooms that stand before it, and no file both polars and torch.
"""

from importlib import import_module

TYPE_CHECKING = False  # as type checkers take it: importing typing would take half of the time that this file takes
if TYPE_CHECKING:
    from typing import Any

    from tsrnn.catalog import load as load
    from tsrnn.classifier import SequenceClassifier as SequenceClassifier
    from tsrnn.errors import InputError as InputError
    from tsrnn.errors import Notice as Notice
    from tsrnn.forecaster import Forecaster as Forecaster
    from tsrnn.generator import Generator as Generator
    from tsrnn.panel import Panel as Panel
    from tsrnn.reconstructor import Reconstructor as Reconstructor
    from tsrnn.side_by_side import fit_seeds as fit_seeds
    from tsrnn.tagger import Tagger as Tagger
    from tsrnn.tune import sweep as sweep
    from tsrnn.version import VERSION as __version__

_PUBLIC = {
    "Forecaster": "forecaster",
    "Generator": "generator",
    "InputError": "errors",
    "Notice": "errors",
    "Panel": "panel",
    "Reconstructor": "reconstructor",
    "SequenceClassifier": "classifier",
    "Tagger": "tagger",
    "load": "catalog",
    "fit_seeds": "side_by_side",
    "sweep": "tune",
    "__version__": "version",
}
__all__ = [
    "Forecaster",
    "Generator",
    "InputError",
    "Notice",
    "Panel",
    "Reconstructor",
    "SequenceClassifier",
    "Tagger",
    "__version__",
    "fit_seeds",
    "load",
    "sweep",
]


def __getattr__(name: str) -> "Any":
    """Public names are imported when first asked for, so that `import tsrnn` takes no time."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'tsrnn' has no attribute {name!r}")
    found = import_module(f"tsrnn.{_PUBLIC[name]}")
    return found.VERSION if name == "__version__" else getattr(found, name)
