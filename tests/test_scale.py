"""The benchmark of growth measures what it says, finds slopes and costs that are there, and draws them."""

import runpy
from pathlib import Path

import pytest

SCALE = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "scale.py"), run_name="scale")
Point = SCALE["Point"]


def invented(axis, size):
    """A point whose seconds follow the costs below, its building with a fixed part."""
    asked = {**SCALE["BASE"], axis: size}
    cells, numbers = asked["rows"] * asked["channels"] * asked["series"], asked["channels"] * asked["horizon"]
    building = 0.02 + 3e-8 * cells + 2e-4 * asked["series"]
    step = 0.004 + 0.005 * asked["channels"] + 2e-5 * numbers
    predict = 0.003 + 1e-5 * asked["series"] + 1e-6 * asked["series"] * numbers
    return Point(
        axis, **asked, building=building, step=step, predict=predict, frame=cells / 2**17, memory=5 + cells / 2**19
    )


POINTS = [invented(axis, size) for axis, sizes in SCALE["AXES"].items() for size in sizes]


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is read from /proc")
def test_a_point_is_measured():
    point = SCALE["measured"]("series", rows=400, channels=2, series=3, horizon=12, steps=6)
    assert (point.axis, point.size, point.cells) == ("series", 3, 2400)
    assert min(point.building, point.step, point.predict, point.frame) > 0
    assert point.memory >= 0


def test_costs_that_are_there_are_found():
    found = SCALE["costs"](POINTS)
    wanted = {"building a cell": 3e-8, "building a series": 2e-4, "step a channel": 0.005, "predict a number": 1e-6}
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, rel=1e-3)


def test_growth_is_the_slope_at_the_largest_sizes():
    along = [point for point in POINTS if point.axis == "series"]
    assert 0.95 < SCALE["growth"](along, "building") <= 1
    assert SCALE["growth"](along, "step") == pytest.approx(0)
    assert SCALE["held"](along) == pytest.approx((8, 2))


def test_what_is_told_of_a_cluster_follows_the_costs():
    few, many, *_ = SCALE["far"](SCALE["costs"](POINTS), 2.0, 2.0)
    assert "building 4 min" in few  # 0.02 + 2e9 cells x 3e-8 s + 1e6 series x 2e-4 s
    assert "4 GiB beside the frame" in few
    assert "building 2 min" in many  # 1e12 cells x 3e-8 s on 256 cores
    halved = SCALE["far"](SCALE["costs"](POINTS), 2.0, 1.0)[1]
    assert "building 4 min" in halved


def test_a_table_and_a_picture(tmp_path):
    assert len(SCALE["told"](POINTS).splitlines()) == 2 + len(POINTS)
    SCALE["draw"](POINTS, tmp_path / "scale.svg")
    text = (tmp_path / "scale.svg").read_text()
    assert all(word in text for word in ("<svg", "data building"))


def test_quick_leaves_the_largest_sizes_out():
    assert [each["series"] for each in SCALE["sizes"]("series", quick=True)] == [10, 100, 1000]
    assert {each["rows"] for each in SCALE["sizes"]("series", quick=False)} == {SCALE["OF_SERIES"]}
