"""What a suite's file says, value by value: what cannot be is refused before anything is read or fitted.

What only the data can tell (columns, names of series) or only a model (its options) is left to who has them.
"""

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

from tsrnn import station, tasks
from tsrnn.conformal import ends
from tsrnn.errors import InputError, unknown
from tsrnn.metrics import named
from tsrnn.panel import Panel
from tsrnn.split import KINDS, LEAVE_ONE_OUT, declared

RECIPE = "recipe"  # in place of a model's parameters: what a sweep chose
PRESET = ("horizons", "seeds", "models")
_COMPARED = ("measures", "leads", "baselines", "baseline", "calibrate")
WORDS = ("data", "load", "task", "roles", "split", "complete", "gaps", *_COMPARED, "like", "online", *PRESET)
_ROLES = tuple(name for name in inspect.signature(Panel.of).parameters if name not in ("frame", "source"))
_SEVERAL = ("target", "past_covariates", "future_covariates", "static_covariates")  # one column or a list of them
_LOADED = {"depth_unit": str, "families": bool | str, "clip": bool, "washout": bool, "resample": str | int | float}
_SWITCHES = ("sort", "rows_as_they_stand")
_TABLES = ("missing", "flags", "wind", "fill")  # `tsrnn.station.plain` says what they take


def check(said: Mapping[str, Any]) -> None:
    """The whole file: a suite's words, and presets under names of their own.

    Raises:
        InputError: a word that is none, or a value that its word cannot have.
    """
    for key, value in said.items():
        if key in _CHECKS:
            _CHECKS[key](key, value)
        elif not isinstance(value, dict) or not {*value} <= {*PRESET}:
            raise InputError(
                f"{key!r} is neither a word of a suite ({', '.join(WORDS)}) nor a preset with {', '.join(PRESET)} alone"
            )
        else:
            for name, own in value.items():
                _CHECKS[name](f"{key}.{name}", own)


def check_task(said: Mapping[str, Any]) -> None:
    """Measures are the task's, and the words of forecasts stand beside no other task.

    Raises:
        InputError: there is no such task, or a word does not fit it.
    """
    task = tasks.find(said.get("task", tasks.AHEAD.name))
    for place, word in enumerate(said.get("measures", ())):
        tasks.check_measure(task, word, orders=not place)
    unfit = next((word for word in ("leads", "calibrate", "online") if word in said and not task.forecasts), None)
    if "gaps" in said and task.name != "along":
        raise InputError("gaps are of the task 'along', which tells what stood in them; add task = \"along\"")
    if said.get("complete") and task.name != "along":
        raise InputError("complete is of the task 'along', which tells a curve from others; add task = \"along\"")
    if unfit:
        raise InputError(f"{unfit} is for forecasts, and the task {task.name!r} makes none; leave it out")


def check_leads(leads: tuple[int, ...], horizons: tuple[int, ...]) -> None:
    """Every lead lies within some horizon."""
    if leads and max(leads) > max(horizons):
        raise InputError(f"leads has {max(leads)}, which no horizon reaches: the longest is {max(horizons)}")


def check_baseline(baseline: str | None, models: Collection[str]) -> None:
    """Skill is counted from a model that is fitted."""
    if baseline is not None and baseline not in models:
        raise InputError(f"baseline names {baseline!r}, a model of no preset; name one of {', '.join(sorted(models))}")


def check_calibrated(share: float | None, measures: tuple[str, ...]) -> None:
    """Every measure of quantiles is of those that the calibrated interval has."""
    if share is None:
        return
    low, high = ends(share)
    for word in measures:
        if not {*named(word).levels} <= {low, high}:
            raise InputError(f"calibrate={share:g} gives the quantiles {low:g} and {high:g}, and {word} takes others")


def _calibrate(key: str, value: Any) -> None:
    if not isinstance(value, float) or not 0 < value < 1:
        raise InputError(f"{key} takes a share between 0 and 1, such as 0.8, not {value!r}")


def _data(key: str, value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise InputError(f"{key} takes a data set's name or a file, not {value!r}")


def _word(key: str, value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise InputError(f"{key} takes a name, not {value!r}")


def _gap(key: str, value: Any) -> None:
    if not _whole(value, 1) and not (isinstance(value, str) and value):
        raise InputError(f'{key} takes a length such as "3 m", or a number of rows, not {value!r}')


def _columns(key: str, value: Any) -> None:
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise InputError(f'{key} takes a list of columns such as ["GR", "RHOB"], not {value!r}')
    _once(key, value)


def _roles(key: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise InputError(f'{key} takes a table such as {{ id = "well", target = "GR" }}, not {value!r}')
    for name, columns in value.items():
        if name not in _ROLES:
            raise unknown(f"word of {key}", name, _ROLES)
        if name in _TABLES:
            station.plain(dict.fromkeys(_TABLES) | {name: columns})
            continue
        listed = columns if isinstance(columns, list) and name in _SEVERAL else [columns]
        kinds = bool if name in _SWITCHES else str | int | float if name == "freq" else str
        if not listed or not all(isinstance(each, kinds) for each in listed):
            one = "true or false" if name in _SWITCHES else "text"
            takes = "a column or a list of them" if name in _SEVERAL else one
            raise InputError(f"{key}.{name} takes {takes}, not {columns!r}")


def _load(key: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise InputError(f"{key} takes a table such as {{ families = true, resample = 0.5 }}, not {value!r}")
    for name, own in value.items():
        if name not in _LOADED:
            raise unknown(f"word of {key}", name, _LOADED)
        if not isinstance(own, _LOADED[name]):
            raise InputError(f"{key}.{name} cannot be {own!r}; see what tsrnn.load takes")


def _split(_key: str, value: Any) -> None:
    if value != "standard":
        declared(value, (*KINDS, LEAVE_ONE_OUT))


def _measures(key: str, value: Any) -> None:
    if not isinstance(value, list) or not value or not all(isinstance(word, str) for word in value):
        raise InputError(f'{key} takes a list of measures such as ["physical_rmse", "mae"], not {value!r}')
    _once(key, value)


def _leads(key: str, value: Any) -> None:
    if not isinstance(value, list) or not value or not all(_whole(each, 1) or isinstance(each, str) for each in value):
        raise InputError(f'{key} takes a list of steps, or of words such as "5 m" or "6 h", not {value!r}')
    _once(key, value)


def _numbers(least: int) -> Callable[[str, Any], None]:
    def checked(key: str, value: Any) -> None:
        if not isinstance(value, list) or not value or not all(_whole(each, least) for each in value):
            raise InputError(f"{key} takes a list of whole numbers of at least {least}, not {value!r}")
        _once(key, value)

    return checked


def _once(key: str, value: list[Any]) -> None:
    again = next((each for place, each in enumerate(value) if each in value[:place]), None)
    if again is not None:
        raise InputError(f"{key} names {again!r} twice; name it once")


def _models(key: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise InputError(f"{key} takes a table such as models.ols = {{ input_size = 96 }}, not {value!r}")
    for model, params in value.items():
        if not isinstance(params, dict) and params != RECIPE:
            raise InputError(f'{key}.{model} takes a table of parameters, or "{RECIPE}", not {params!r}')
        sizes = {} if params == RECIPE else params
        for name in ("input_size", "horizon"):
            if name in sizes and not _whole(sizes[name], 1):
                raise InputError(f"{key}.{model}.{name} takes a whole number of at least 1, not {sizes[name]!r}")


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _switch(key: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise InputError(f"{key} takes true or false, not {value!r}")


_CHECKS: dict[str, Callable[[str, Any], None]] = {
    "data": _data,
    "load": _load,
    "task": _word,
    "roles": _roles,
    "split": _split,
    "measures": _measures,
    "leads": _leads,
    "baselines": _models,
    "baseline": _word,
    "calibrate": _calibrate,
    "complete": _columns,
    "gaps": _gap,
    "like": _word,
    "online": _switch,
    "horizons": _numbers(1),
    "seeds": _numbers(0),
    "models": _models,
}
