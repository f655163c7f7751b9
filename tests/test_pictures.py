"""Pictures of what takes long: a training by its epochs, a sweep by its trials."""

import itertools
import math
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from conftest import Run

from tsrnn import plot
from tsrnn.errors import InputError
from tsrnn.page import figures, svg, sweep
from tsrnn.simulate import transformer

SMALL = ("--input-size", "24", "--horizon", "6")


def trial(number: int, value: float | None, **params: Any) -> dict[str, Any]:
    return {"trial": number, "value": value, "params": params}


def test_a_sweep_shows_its_history_what_mattered_and_what_went_together() -> None:
    trials = [trial(k, 1 / (k + 1), rate=10.0 ** -(k + 1), cell=("gru", "<lstm>")[k % 2]) for k in range(6)]
    drawn = sweep.picture([*trials, trial(6, None, rate=1.0, cell="gru")], {"rate": 0.75, "cell": 0.25}, "MSE")
    words = list(ET.fromstring(svg.alone(drawn)).itertext())
    for said in ("75 %", "25 %", "<lstm>", "trial 5: 0.1667", "1e-06"):
        assert said in words
    assert "History: 6 trials, 1 without a value; the line is the best so far" in words


def test_a_sweep_without_a_value_has_no_picture() -> None:
    assert sweep.picture([trial(0, None, rate=1.0)], {}, "MSE") == ""
    assert sweep.picture([trial(0, math.nan, rate=1.0)], {}, "MSE") == ""
    assert "History" in sweep.picture([trial(0, 1.0, rate=1.0)], {}, "MSE")


def shapes(drawn: str, tag: str) -> dict[str, dict[str, str]]:
    """Attributes of the shapes of a figure that say what they are, by what they say."""
    found = ET.fromstring(drawn).iter(tag)
    return {title.text or "": dict(shape.attrib) for shape in found if (title := shape.find("title")) is not None}


def test_what_lies_above_an_axis_is_marked_and_no_line_goes_through_its_place() -> None:
    errors = {
        "mean": 9.0,
        "last": 5.0,
        "gru": 0.44,
        "lstm": 0.42,
        "bigru": 0.40,
        "rnn": 0.46,
        "slow": 3.0,
        "trees": 0.47,
        "vote": 0.45,
    }
    points = [figures.Cost(name, 10.0**k, error) for k, (name, error) in enumerate(errors.items())]
    drawn = figures.costs("costs", points, "seconds", "error", "said")
    words = [*ET.fromstring(drawn).itertext()]
    dots, peaks = ({said.split(":")[0]: at for said, at in shapes(drawn, tag).items()} for tag in ("circle", "path"))
    assert ({*dots}, {*peaks}) == ({"gru", "lstm", "bigru", "rnn", "trees", "vote"}, {"mean", "last", "slow"})
    assert {"error (▲: above the axis)", "mean 9", "last 5"} <= {*words}  # of the front, and by their numbers
    (front,) = [each.attrib["d"] for each in ET.fromstring(drawn).iter("path") if each.get("class") == "d"]
    first, *others = (tuple(map(float, place.split())) for place in front[1:].split("L"))
    assert others == [(float(dots[name]["cx"]), float(dots[name]["cy"])) for name in ("gru", "lstm", "bigru")]
    top, left = min(float(dot["cy"]) for dot in dots.values()), float(peaks["last"]["d"][1:].split()[0])
    assert (left < first[0] < others[0][0], first[1] < top) == (True, True)
    inside = figures.costs("costs", points[2:6], "seconds", "error", "said")
    assert ("▲" in inside, len(shapes(inside, "circle"))) == (False, 4)


def test_an_interval_that_is_cut_is_marked() -> None:
    wide = figures.Mark("wide", 0.31, 0.30, 0.9)
    marks = [figures.Mark(f"m{k}", 0.3 + k / 100) for k in range(4)]
    drawn = [figures.intervals("board", each, "error", "said") for each in ([*marks, wide], marks)]
    assert ["0.31 &gt;<" in each for each in drawn] == [True, False]
    assert ["error (&gt;: beyond the axis)" in each for each in drawn] == [True, False]


def test_trials_above_the_axis_of_a_history_are_marked() -> None:
    values = (9.0, 0.5, 0.45, 3.0, 0.44, 0.43, 0.5, 0.41, 0.6, 0.42, 0.44, 0.40)
    drawn = sweep.picture([trial(k, value) for k, value in enumerate(values)], {}, "MSE")
    assert {*shapes(drawn, "path")} == {"the best so far", "trial 0: 9", "trial 3: 3"}
    assert "MSE (▲: above the axis)" in [*ET.fromstring(drawn).itertext()]
    begins = shapes(drawn, "path")["the best so far"]["d"][1:].split("L")[0].split()
    peak, second = (shapes(drawn, tag)[said] for tag, said in (("path", "trial 0: 9"), ("circle", "trial 1: 0.5")))
    assert float(peak["d"][1:].split()[0]) < float(begins[0]) < float(second["cx"])


@pytest.mark.slow
def test_tune_draws_beside_what_it_chose(run: Run, tmp_path: Path) -> None:
    transformer(rows=400).write_csv(tmp_path / "my.csv")
    words = ("tune", "my.csv", "--model", "gru", "--trials", "2", *SMALL, "--set", "max_epochs=1", "--target", "OT")
    status, out, err = run(*words, "--set", "max_windows=32")
    assert status == 0, err
    (drawn,) = Path("tsrnn-results").glob("*.svg")
    assert drawn.with_suffix(".toml").is_file()
    assert drawn.name in out
    assert ET.parse(drawn).getroot().tag.endswith("svg")


def test_fit_draws_its_losses(run: Run, tmp_path: Path) -> None:
    transformer(rows=400).write_csv(tmp_path / "my.csv")
    asked = ("fit", "my.csv", "--target", "OT", "--out", "saved", *SMALL, "--plot", "losses.svg")
    assert run(*asked, "--model", "gru", "--set", "max_epochs=2", "--set", "hidden_size=4")[0] == 0
    assert "<svg" in Path("losses.svg").read_text(encoding="utf-8")
    status, _, err = run(*asked, "--model", "ols")
    assert (status, "solved, not trained by epochs" in err) == (2, True)


@pytest.mark.parametrize("command", [("fit", "--out", "made"), ("backtest", "--windows", "2", "--out", "made")])
def test_a_picture_of_no_kind_is_refused_before_the_training(run: Run, command: tuple[str, ...]) -> None:
    transformer(rows=400).write_csv("my.csv")
    words = ("my.csv", "--model", "ols", "--target", "OT", *SMALL, "--plot", "losses.html")
    status, _, err = run(command[0], *words, *command[1:])
    assert (status, "losses.html ends in .html; draw into a" in err) == (2, True)
    assert not Path("made").exists()


def test_losses_are_drawn_with_and_without_a_validation_part(tmp_path: Path) -> None:
    plot.losses([(1.0, math.nan), (0.5, math.nan)], 0, tmp_path / "a.svg")
    plot.losses([(1.0, 0.9), (0.5, 0.8)], 2, tmp_path / "b.svg")
    texts = [(tmp_path / name).read_text(encoding="utf-8") for name in ("a.svg", "b.svg")]
    assert ["validation" in text for text in texts] == [False, True]
    assert "kept: epoch 2" in texts[1]
    with pytest.raises(InputError, match="draw into a"):
        plot.losses([(1.0, 0.9)], 1, tmp_path / "a.html")


def test_backtest_draws(run: Run, tmp_path: Path) -> None:
    transformer(rows=400).write_csv(tmp_path / "my.csv")
    words = ("backtest", "my.csv", "--model", "ols", "--target", "OT", *SMALL, "--windows", "2", "--out", "f.csv")
    assert run(*words, "--plot", "f.svg")[0] == 0
    assert "<svg" in Path("f.svg").read_text(encoding="utf-8")


def test_a_scale_has_round_ticks_and_holds_what_lies_outside() -> None:
    axis = svg.Scale(-1.0, 9.0, 0, 100)
    assert axis.ticks(5) == [0, 2, 4, 6, 8]
    assert (axis(-5), axis(-1), axis(4), axis(90)) == (0, 0, 50, 100)
    log = svg.Scale(1, 1000, 0, 90, log=True)
    assert [log(value) for value in (1, 10, 100, 1000)] == [0, 30, 60, 90]
    assert log.ticks()[::3] == [1, 10, 100, 1000]


def test_ticks_are_told_apart() -> None:
    assert svg.labels_of([11.65, 11.7, 11.75]) == ["11.65", "11.70", "11.75"]
    assert svg.labels_of([0.0, 5.0, 10.0]) == ["0", "5", "10"]
    assert svg.labels_of([-1.0, 0.0]) == ["-1", "0"]
    assert svg.labels_of([1000.0, 100_000.0], log=True) == ["1k", "100k"]
    assert svg.labels_of([20_000.0, 30_000.0]) == ["20k", "30k"]


def test_labels_beside_lines_stand_apart_and_inside() -> None:
    placed = svg.apart([50, 50, 50, 99], 12, 0, 100)
    rising = sorted(placed)
    assert all(second - first >= 12 for first, second in itertools.pairwise(rising))
    assert min(placed) >= 0
    assert max(placed) <= 100
