"""Looking inside: influence by lag against closed forms, gates that are known, gradients that must explode."""

import json
import math
import sys

import polars as pl
import pytest
import torch
from small import hours, long_frame
from torch import nn

from tsrnn import cli, diagnose, plot, probe
from tsrnn.cells import get
from tsrnn.diagnose import Diagnosis, Growth, Reach, Settings
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster
from tsrnn.recurrence import Recurrent
from tsrnn.registry import names

QUICK = Settings(hidden_size=6, updates=2, rows=3, steps=3)


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def command(*words):
        monkeypatch.setattr(sys, "argv", ["tsrnn", *words])
        try:
            cli.main()
            status = 0
        except SystemExit as stop:
            status = int(stop.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return command


@pytest.fixture(scope="module")
def trained():
    return Forecaster("lstm", input_size=24, horizon=5, hidden_size=4, max_epochs=1).fit(long_frame())


def linear(x, decay):
    """h[t] = decay * h[t - 1] + x[t] of two channels: the norm of d h[T] / d x[T - lag] is decay ** lag * sqrt(2)."""
    state = torch.zeros(len(x), 2, dtype=x.dtype)
    for step in x.unbind(1):
        state = decay * state + step
    return state


@pytest.mark.parametrize("decay", [0.3, 1.0, 1.7])
def test_the_influence_of_a_linear_recurrence_is_a_power(decay):
    norms = probe.influence(lambda x: linear(x, decay), torch.randn(4, 30, 2, dtype=torch.float64))
    assert norms == pytest.approx([math.sqrt(2) * decay**lag for lag in range(30)], rel=1e-9)


def test_the_influence_is_the_jacobians_norm():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer, x = Recurrent("gru", 3, 5).double(), torch.randn(4, 7, 3, dtype=torch.float64)
    expected = torch.zeros(7, dtype=torch.float64)
    for row in x:
        (jacobian,) = torch.autograd.functional.jacobian(lambda one: layer(one[None])[0][:, -1], (row,))
        expected += jacobian[0].square().sum((0, 2)).sqrt().flip(0) / len(x)
    norms = probe.influence(lambda every: layer(every)[0][:, -1], x)
    torch.testing.assert_close(torch.tensor(norms, dtype=torch.float64), expected)
    assert not x.requires_grad


def test_many_outputs_are_sampled_without_bias():
    weight = torch.randn(400, 10, generator=torch.Generator().manual_seed(1))
    norms = probe.influence(lambda x: x[..., 0] @ weight.T, torch.zeros(1, 10, 1))
    assert norms == pytest.approx(weight.norm(dim=0).flip(0).tolist(), rel=0.3)
    assert norms != pytest.approx(weight.norm(dim=0).flip(0).tolist(), rel=1e-6)


@pytest.mark.parametrize("name", names("cells"))
def test_every_cell_can_be_looked_into(name):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer, x = Recurrent(name, 2, 4, num_layers=2, backend="reference"), torch.randn(3, 6, 2)
    norms = probe.influence(lambda every: layer(every)[0][:, -1], x)
    assert len(norms) == 6
    assert norms[0] > 0
    with probe.forget_gates(layer) as heard, torch.no_grad():
        layer(x)
    assert list(heard) == (["cells.0", "cells.1"] if "f" in get(name).gates else [])
    for parts in heard.values():
        assert sum(each.numel() for each in parts) == 3 * 6 * 4
        assert all(bool(((each >= 0) & (each <= 1)).all()) for each in parts)


def test_forget_gates_are_the_cells_own_and_listening_leaves_no_trace():
    layer, x = Recurrent("lstm", 2, 3, bidirectional=True), torch.randn(4, 9, 2)
    with torch.no_grad():
        for cell in layer.cells:
            for weight in cell.parameters():
                weight.zero_()
        layer.cells[0].bias_ih[3:6] = 2.0
        layer.cells[1].bias_hh[3:6] = torch.tensor([-1.0, 0.0, 1.0])
        before = layer(x)[0]
        with probe.forget_gates(layer) as heard:
            assert layer.backend == "reference"
            torch.testing.assert_close(layer(x)[0], before)
    assert layer.backend == "auto"
    assert not any("step" in vars(cell) for cell in layer.cells)
    assert torch.cat(heard["cells.0"]).unique().tolist() == pytest.approx([1 / (1 + math.exp(-2))])
    wanted = [1 / (1 + math.exp(-bias)) for bias in (-1, 0, 1)]
    assert torch.cat(heard["cells.1"]).unique().tolist() == pytest.approx(wanted)


def test_what_goes_wrong_while_listening_is_put_right():
    layer = Recurrent("lstm", 2, 3)
    with pytest.raises(InputError), probe.forget_gates(layer):
        layer(torch.zeros(1, 2, 5))
    assert layer.backend == "auto"
    assert "step" not in vars(layer.cells[0])


def test_reach_is_the_largest_lag_above_a_hundredth():
    assert Reach("a", "fresh", 5, (1.0, 0.5, 0.001, 0.02, 0.0099)).reach == 3
    assert Reach("a", "fresh", 3, (1.0, 0.0, 0.0)).reach == 0
    assert Reach("a", "fresh", 3, (0.0, 0.0, 0.1)).reach == 2
    assert Reach("a", "fresh", 2, (0.0, 0.0)).reach == 0


def test_what_overflows_is_no_json_number():
    found = Diagnosis(
        [Reach("a", "fresh", 2, (0.0, 0.0))], [], [Growth("a", 2, None, (1.0, math.inf, math.nan), math.nan)]
    )
    text = json.dumps(found.records(), allow_nan=False)
    records = json.loads(text)
    assert records["gradients"][0]["norms"] == [1.0, None, None]
    assert records["gradients"][0]["largest"] is None
    assert records["influence"][0]["last_to_first"] is None


def test_gates_and_training_open_the_memory():
    found = diagnose.cells(["elman", "gru"], [40], Settings(updates=200))
    lines = {(each.name, each.weights): each for each in found.reaches}
    assert all(len(each.norms) == 40 for each in found.reaches)
    assert lines["elman", "fresh"].norms[-1] < 1e-6 * lines["elman", "fresh"].norms[0]
    assert lines["elman", "fresh"].reach < 20
    assert lines["gru", "trained"].reach == 39
    assert lines["gru", "trained"].recalled > 0.95
    assert lines["gru", "fresh"].recalled is None


def test_clipping_holds_the_weights_where_gradients_explode():
    free, clipped = diagnose.cells(["elman"], [60], Settings(updates=0, steps=4)).growths
    assert (free.clip, clipped.clip) == (None, 1.0)
    assert free.norms[0] == clipped.norms[0]  # the same start, looked at before clipping
    assert free.largest > 1e3
    assert free.moved > 100
    assert clipped.moved <= 4 * 0.1 * 1.0 + 1e-6


def test_cells_are_examined_the_same_twice_and_the_callers_generator_is_left_alone():
    torch.manual_seed(5)
    first = diagnose.cells(["lstm"], [5, 3], QUICK)
    drawn = torch.rand(1)
    torch.manual_seed(6)
    second = diagnose.cells(["lstm"], [5, 3], QUICK)
    assert first == second
    torch.manual_seed(5)
    assert torch.rand(1) == drawn
    assert [(each.length, each.weights) for each in first.reaches] == [
        (5, "fresh"), (5, "trained"), (3, "fresh"), (3, "trained"),
    ]  # fmt: skip
    assert {each.weights for each in diagnose.cells(["gru"], [3], Settings(updates=0, steps=1)).reaches} == {"fresh"}


def test_a_saved_model_is_looked_at_on_data(trained):
    found = diagnose.model(trained, long_frame())
    assert [(each.name, each.weights, len(each.norms)) for each in found.reaches] == [
        ("lstm", "fresh", 24), ("lstm", "trained", 24),
    ]  # fmt: skip
    assert found.reaches[0].norms != found.reaches[1].norms
    assert [each.layer for each in found.forgetting] == ["recurrent.cells.0"] * 2
    assert all(0 < each.low <= each.mean <= each.high < 1 for each in found.forgetting)
    assert not found.growths
    assert all(weight.grad is None for weight in trained.model_.parameters())


def test_the_influence_on_a_forecast_is_the_models():
    frame = pl.DataFrame({"ds": hours(80), "y": torch.randn(80, generator=torch.Generator().manual_seed(0)).numpy()})
    last = diagnose.model(Forecaster("repeat_last", input_size=6, horizon=4).fit(frame)).reaches
    assert [(each.weights, each.norms) for each in last] == [("trained", (2.0, 0.0, 0.0, 0.0, 0.0, 0.0))]
    ols = Forecaster("ols", input_size=6, horizon=4, centring="none").fit(frame)
    norms = ols.model_.linear.weight.norm(dim=0).flip(0).tolist()
    assert diagnose.model(ols).reaches[-1].norms == pytest.approx(norms, rel=1e-5)


def test_short_series_are_looked_at_where_nothing_longer_is_there():
    forecaster = Forecaster("gru", input_size=24, horizon=4, hidden_size=4, pad=True, max_epochs=1)
    forecaster.fit(long_frame((90, 20)))
    padded = diagnose.model(forecaster, long_frame((18,))).reaches[-1]
    assert padded.norms[0] > 0
    assert padded.norms[-1] == 0  # padding is not read
    assert diagnose.model(forecaster, long_frame((90,))).reaches[-1].norms[-1] > 0


def test_the_command_draws_and_prints(run):
    words = ("diagnose", "--cells", "lstm,mine", "--length", "6")
    assert run(*words)[0] == 2
    words = ("diagnose", "--cells", "elman,lstm", "--length", "6,4", "--updates", "1", "--out", "pictures/i.png")
    status, out, err = run(*words, "--json")
    assert (status, err) == (0, "tsrnn: wrote pictures/i.png\n")
    found = json.loads(out)
    assert [(each["name"], each["length"], len(each["norms"])) for each in found["influence"][::2]] == [
        ("elman", 6, 6), ("elman", 4, 4), ("lstm", 6, 6), ("lstm", 4, 4),
    ]  # fmt: skip
    assert {each["name"] for each in found["forget_gates"]} == {"lstm"}
    assert {each["clip"] for each in found["gradients"]} == {None, 1.0}
    with open("pictures/i.png", "rb") as file:
        assert file.read(8) == b"\x89PNG\r\n\x1a\n"
    status, out, _ = run("diagnose", "--cells", "gru", "--length", "4", "--updates", "0")
    assert status == 0
    assert "influence" in out
    assert "forget gates" not in out


def test_the_command_on_a_saved_model(run, trained):
    trained.save("saved")
    long_frame().write_csv("mine.csv")
    status, out, _ = run("diagnose", "saved", "mine.csv", "--json")
    assert status == 0
    assert [each["weights"] for each in json.loads(out)["influence"]] == ["fresh", "trained"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--cells", "lstn"), "unknown cell 'lstn': did you mean 'lstm'"),
        (("--cells", ","), "--cells takes names"),
        (("--length", "1"), "--length takes numbers of at least 2"),
        (("saved",), "name a data set or a file after saved"),
        (("saved", "nowhere.csv"), "saved is not a saved model"),
        (("--length", "3", "--updates", "0", "--out", "i.txt"), "i.txt ends in .txt; draw into a .png"),
    ],
)
def test_what_a_user_can_mend_is_one_sentence(run, words, said):
    status, out, err = run("diagnose", *words)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_picture_needs_matplotlib(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(InputError, match="pictures need matplotlib"):
        plot.by_lag({("a", True): [1.0, 0.1]}, tmp_path / "i.png", "lag", "norm")


@pytest.mark.parametrize("values", [[1.0, 0.0], [0.0, 0.0], [1e-300, 1e-310]])
def test_nothing_and_nearly_nothing_can_be_drawn(tmp_path, values):
    plot.by_lag({("a", True): values, ("a", False): [2.0 * each for each in values]}, tmp_path / "i.svg", "lag", "norm")
    assert "<svg" in (tmp_path / "i.svg").read_text(encoding="utf-8")


def test_the_recall_task_marks_what_is_to_be_remembered():
    x, sign = diagnose.recall(50, 7)
    assert torch.equal(x[:, 0, 0], sign)
    assert set(sign.tolist()) == {-1.0, 1.0}
    assert torch.equal(x[..., 1], nn.functional.one_hot(torch.zeros(50, dtype=torch.long), 7).float())
