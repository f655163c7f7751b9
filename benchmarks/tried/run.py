"""What was tried beside the straight line, on validation alone: python benchmarks/tried/run.py weather look-backs seeds

A line says: data set and horizon, what was tried, MSE and MAE of the first half of the validation part and of the
second, the change of these four from a reference, and seconds of processor. Fits stop, and choose their ridges, on the
first half. Look-backs, weights of an average and neighbours are chosen on either half for the other one.
"""

import argparse
import sys
from collections.abc import Callable

import torch
from maps import with_own_ridges
from neighbours import SETTINGS, Neighbours
from networks import Mapped, Sharp, Turned
from torch import Tensor
from trial import GROUNDS, RECURRENCES, Fitted, Halves, Trial, mean, timed

SEEDS = (0, 1, 2)
RHOS = (0.05, 0.5)


def least(parts: list[Halves], truth: Halves, apart: bool) -> Halves:
    """Averages of forecasts: of each half with the weights that have the least squared error in the other.

    Weights add up to 1 and may be negative (Bates & Granger 1969). `apart`: those of each channel.
    """
    stacked = [torch.stack(each).double() for each in zip(*parts, strict=True)]  # each [part window horizon target]
    weights = [_weights(told - true, apart) for told, true in zip(stacked, truth, strict=True)]
    first, second = (
        torch.einsum("pt,pwht->wht", weight, told).float() for weight, told in zip(weights[::-1], stacked, strict=True)
    )
    return first, second


def _weights(errors: Tensor, apart: bool) -> Tensor:
    """Of errors [part window horizon target]: [part target]."""
    products = torch.einsum("pwht,qwht->tpq", errors, errors)
    products = products if apart else products.sum(0, keepdim=True).expand_as(products)
    scale = products.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
    ones = torch.ones(*products.shape[:2], dtype=products.dtype)
    weight = torch.linalg.solve(products + 1e-6 * scale * torch.eye(len(errors)), ones)
    return (weight / weight.sum(1, keepdim=True)).T


def combined(trial: Trial, parts: dict[str, Fitted], what: str) -> None:
    """The mean of several, and averages by weights, beside the one of them that does best in the other half."""
    told = {name: each.halves for name, each in parts.items()}
    seconds = sum(each.seconds for each in parts.values())
    for name, each in parts.items():
        trial.say(name, each.halves, each.seconds)
    liked = [min(told, key=lambda name: trial.scores(told[name])[half][0]) for half in (0, 1)]
    beside = f"{liked[1]}, {liked[0]}", (told[liked[1]][0], told[liked[0]][1])
    trial.say(f"mean of {what}", mean([*told.values()]), seconds, beside)
    for apart in (False, True):
        made, more = timed(lambda apart=apart: least([*told.values()], trial.truth, apart))
        trial.say(f"weights of {what}, {'each channel' if apart else 'shared'}", made, seconds + more, beside)


def look_backs(trial: Trial) -> None:
    lines = {f"ridge {size}": trial.fitted("ridge", input_size=size) for size in trial.ground.look_backs}
    combined(trial, lines, "ridge's look-backs")


def trained_look_backs(trial: Trial) -> None:
    sizes = trial.ground.trained["input_size"], trial.ground.shorter
    parts = {f"ridge_segrnn {size}": trial.fitted("ridge_segrnn", input_size=size) for size in sizes}
    combined(trial, parts, "ridge_segrnn's look-backs")


def line_flips(trial: Trial) -> None:
    """Of a line nothing is averaged away but its constant."""
    line = trial.fitted("ridge", input_size=trial.ground.trained["input_size"])
    trial.say("ridge", line.halves, line.seconds)
    turned, seconds = timed(lambda: trial.told(line.forecaster, -1.0))
    both = mean([line.halves, turned])
    trial.say("ridge, mean of both signs", both, line.seconds + seconds, ("ridge", line.halves))


def flips(trial: Trial) -> None:
    """Forecasts of windows turned over, in a model that never saw any; and in one that was trained on them."""
    for name, skip in trial.recurrences.items():
        plain = trial.fitted(name)
        trial.say(name, plain.halves, plain.seconds)
        beside = name, plain.halves
        turned, seconds = timed(lambda plain=plain: trial.told(plain.forecaster, -1.0))
        trial.say(f"{name}, mean of both signs", mean([plain.halves, turned]), plain.seconds + seconds, beside)
        taught = trial.fitted(Turned, skip=skip)
        trial.say(f"{name}, trained on both signs", taught.halves, taught.seconds, beside)


def seeds(trial: Trial) -> None:
    """The mean of the forecasts of seeds, beside the mean of their errors, which stands as a line of its own."""
    parts = [trial.fitted("ridge_segrnn", **({"random_state": seed} if seed else {})) for seed in SEEDS]
    for seed, each in zip(SEEDS, parts, strict=True):
        trial.say(f"ridge_segrnn, seed {seed}", each.halves, each.seconds)
    seconds = sum(each.seconds for each in parts)
    scores = torch.tensor([trial.scores(each.halves) for each in parts]).mean(0)  # [half measure]
    together = mean([each.halves for each in parts])
    change = 100 * (torch.tensor(trial.scores(together)) / scores - 1)
    trial.say(f"mean of {len(SEEDS)} seeds", together, seconds, ("seed 0", parts[0].halves))
    print(f"of the mean of the seeds' errors: {' '.join(f'{each:+.2f}' for each in change.flatten())} %", flush=True)


def retrieval(trial: Trial) -> None:
    line = trial.fitted("ridge", input_size=trial.ground.trained["input_size"])
    trial.say("ridge", line.halves, line.seconds)
    forecaster, beside = line.forecaster, ("ridge", line.halves)
    train, first, second = trial.windows(forecaster)

    def made() -> Halves:
        known = Neighbours(train, trial.ground.common["centring"], forecaster.spec_.seasonality)
        near = known.of(first), known.of(second)
        liked = [min(SETTINGS, key=lambda each: error(known.forecast(near[half], each), half)) for half in (0, 1)]
        print(f"each half likes: {liked[0]}; {liked[1]}", flush=True)
        return known.forecast(near[0], liked[1]), known.forecast(near[1], liked[0])

    def error(told: Tensor, half: int) -> float:
        return float((told - trial.truth[half]).square().mean())

    alone, seconds = timed(made)
    trial.say("retrieval alone", alone, seconds, beside)
    parts = [line.halves, alone]
    trial.say("mean of ridge and retrieval", mean(parts), seconds, beside)
    for apart in (False, True):
        told = least(parts, trial.truth, apart)
        trial.say(f"ridge and retrieval, weights {'of each channel' if apart else 'shared'}", told, seconds, beside)


def line_maps(trial: Trial) -> None:
    """A line between orthogonal maps is the line; a ridge of each of the target's directions is another."""
    line = trial.fitted("ridge", input_size=trial.ground.trained["input_size"])
    trial.say("ridge", line.halves, line.seconds)
    train, first, second = trial.windows(line.forecaster)
    for turned in (False, True):
        made, seconds = timed(lambda turned=turned: with_own_ridges(line.forecaster, train, first, second, turned))
        what = "direction of the target" if turned else "step"
        trial.say(f"ridge, one for each {what}", made, seconds, ("ridge", line.halves))


def maps(trial: Trial) -> None:
    for name, skip in trial.recurrences.items():
        plain = trial.fitted(name)
        trial.say(name, plain.halves, plain.seconds)
        for label, sides in {"both maps": {}, "the target's map": {"front": False}}.items():
            mapped = trial.fitted(Mapped, skip=skip, **sides)
            trial.say(f"{name}, {label}", mapped.halves, mapped.seconds, (name, plain.halves))


def sam(trial: Trial) -> None:
    for name, skip in trial.recurrences.items():
        plain = trial.fitted(name)
        trial.say(name, plain.halves, plain.seconds)
        for rho in RHOS:
            sharp = trial.fitted(Sharp, skip=skip, rho=rho)
            trial.say(f"{name}, SAM {rho:g}", sharp.halves, sharp.seconds, (name, plain.halves))


TRIED: dict[str, Callable[[Trial], None]] = {
    "look-backs": look_backs,
    "trained-look-backs": trained_look_backs,
    "line-flips": line_flips,
    "flips": flips,
    "seeds": seeds,
    "retrieval": retrieval,
    "line-maps": line_maps,
    "maps": maps,
    "sam": sam,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", choices=GROUNDS)
    parser.add_argument("what", nargs="+", choices=TRIED, help="what shares a fit is best asked together")
    parser.add_argument("--horizon", type=int, help="in place of 96, or of the competition's own")
    parser.add_argument("--recurrence", choices=RECURRENCES, help="of flips, maps and sam; both by default")
    wish = parser.parse_args()
    trial = Trial(wish.dataset, wish.horizon or GROUNDS[wish.dataset].horizon)
    if wish.recurrence:
        trial.recurrences = {wish.recurrence: RECURRENCES[wish.recurrence]}
    for name in wish.what:
        TRIED[name](trial)
    return 0


if __name__ == "__main__":
    sys.exit(main())
