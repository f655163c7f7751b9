"""Seeds trained at once end in the bits of seeds trained apart, draw from nobody's generator, and stop together."""

import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
import torch.nn.functional as F
from small import long_frame
from torch import Tensor, nn

from tsrnn import Forecaster, Panel, Reconstructor, fit_seeds, side_by_side
from tsrnn.allocator import threads
from tsrnn.cells import Cell
from tsrnn.errors import InputError
from tsrnn.models import Model
from tsrnn.seeding import Apart, seeded, untouched
from tsrnn.shapes import Batch, State

QUICK: dict[str, Any] = {"input_size": 24, "horizon": 6, "max_epochs": 2, "batch_size": 32}
SEEDS = (3, 1, 2)


def panel() -> Panel:
    return Panel.of(long_frame())


def alone(face: Any, frame: Any, seed: int, **how: Any) -> Any:
    with threads(1):
        return face.clone().set_params(random_state=seed).fit(frame, **how)


def same_bits(first: Any, second: Any) -> bool:
    pair = first.model_.state_dict(), second.model_.state_dict()
    return pair[0].keys() == pair[1].keys() and all(torch.equal(pair[0][name], pair[1][name]) for name in pair[0])


class Faded(Cell):
    """A cell of one's own, whose kernel is traced in the threads that train."""

    gates = ("z",)
    states = ("h",)

    def step(self, x: tuple[Tensor, ...], r: tuple[Tensor, ...], state: State) -> tuple[State, Tensor]:
        h = 0.5 * state[0] + torch.tanh(x[0] + r[0])
        return (h,), h


@pytest.mark.parametrize(
    "options",
    [
        {"model": "segrnn", "hidden_size": 8},  # dropout 0.5
        {"model": "segrnn", "hidden_size": 8, "cell": Faded},
        {"model": "lstm", "hidden_size": 8, "num_layers": 2, "dropout": 0.3, "precision": "64-true"},
        {"model": "s_mamba", "hidden_size": 8, "dropout": 0.3},
        {"model": "ensemble", "members": [{"model": "nlinear"}, {"model": "gru", "hidden_size": 8}]},
        {"model": "deepar", "hidden_size": 8, "loss": "student_t"},
    ],
    ids=lambda options: "-".join(str(value) for value in options.values() if isinstance(value, str)),
)
def test_seeds_trained_at_once_end_in_the_bits_of_each_alone(options: dict[str, Any]) -> None:
    face, frame = Forecaster(**QUICK, **options), panel()
    together = fit_seeds(face, frame, SEEDS, workers=3)
    for seed, each in zip(SEEDS, together, strict=True):
        apart = alone(face, frame, seed)
        assert each.get_params()["random_state"] == seed
        assert same_bits(each, apart)
        assert each.report_.losses == apart.report_.losses
        assert each.predict().equals(apart.predict())
    assert not same_bits(together[0], together[1])


def test_another_face_and_a_frame_with_roles_too() -> None:
    face = Reconstructor("gru_autoencoder", input_size=24, hidden_size=8, max_epochs=1, dropout=0.2)
    frame = pl.DataFrame(long_frame())
    how = {"split": {"ratios": [0.7, 0.1, 0.2]}, "target": "y", "id": "unique_id", "time": "ds"}
    together = fit_seeds(face, frame, 2, workers=2, **how)
    assert all(same_bits(each, alone(face, frame, seed, **how)) for seed, each in enumerate(together))


def test_one_after_another_is_the_same_and_the_callers_generator_is_left_alone() -> None:
    face, frame, before = Forecaster("segrnn", **QUICK, hidden_size=8), panel(), torch.get_rng_state()
    pair = fit_seeds(face, frame, 2, workers=1), fit_seeds(face, frame, 2, workers=2)
    assert torch.equal(before, torch.get_rng_state())
    assert all(same_bits(first, second) for first, second in zip(*pair, strict=True))
    assert not hasattr(face, "model_")
    assert "random_state" not in face.get_params()


def test_filters_of_warnings_are_as_before() -> None:
    import warnings

    before = list(warnings.filters)
    fit_seeds(Forecaster("nlinear", **QUICK), panel(), 4, workers=2)
    assert warnings.filters == before


def test_a_thread_draws_as_if_it_were_alone_while_another_draws_too() -> None:
    def drawn() -> list[Tensor]:
        with seeded(5):
            layer, x = nn.Linear(7, 3), torch.randn(64, 7)
            numbers = [layer.weight.detach(), layer.bias.detach(), x, F.dropout(x, 0.3), F.dropout(x, 1.0)]
            numbers += [torch.randperm(9), torch.empty(4).uniform_(), torch.bernoulli(torch.full((9,), 0.4))]
            numbers += [torch.rand_like(x), torch.normal(0.0, 1.0, (3,)), torch.multinomial(torch.ones(5), 3)]
            with untouched():
                torch.rand(3)
            return [*numbers, nn.init.orthogonal_(torch.empty(3, 3)), torch.rand(2)]

    def beside(slot: int) -> None:
        with Apart(threading.Event()):
            for _ in range(20):
                results[slot].append(drawn())

    expected, before, results = drawn(), torch.get_rng_state(), [list[list[Tensor]](), list[list[Tensor]]()]
    team = [threading.Thread(target=beside, args=(slot,)) for slot in range(2)]
    for each in team:
        each.start()
    for each in team:
        each.join()
    assert torch.equal(before, torch.get_rng_state())
    for numbers in results[0] + results[1]:
        assert all(torch.equal(first, second) for first, second in zip(numbers, expected, strict=True))
    assert len(results[0]) == len(results[1]) == 20


def test_dropout_has_the_gradient_of_torchs_own() -> None:
    def gradient() -> Tensor:
        x = torch.ones(50, requires_grad=True)
        with seeded(1):
            F.dropout(x, 0.4).square().sum().backward()
        assert x.grad is not None
        return x.grad

    own = gradient()
    with Apart(threading.Event()):
        assert torch.equal(gradient(), own)


@dataclass(frozen=True)
class NoConfig:
    pass


class Drawing(Model):
    """A model that draws where `Apart` cannot see it."""

    Config = NoConfig

    def __init__(self, config: Any, spec: Any) -> None:
        super().__init__(config, spec)
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, batch: Batch) -> Tensor:
        torch.default_generator.manual_seed(7)
        last = batch.past[:, -1:, : self.spec.targets, None]
        return (last + self.weight).expand(-1, self.spec.horizon, -1, self.spec.params)


def test_a_model_that_draws_out_of_sight_is_refused_at_once_and_trained_in_turn() -> None:
    face = Forecaster(Drawing, **QUICK)
    with pytest.raises(InputError, match=r"model 'Drawing' draws from torch's shared generator.*take workers=1"):
        fit_seeds(face, panel(), 2, workers=2)
    assert len(fit_seeds(face, panel(), 2, workers=1)) == 2


def test_the_first_fault_names_its_seed_and_ends_the_others() -> None:
    face = Forecaster("segrnn", **{**QUICK, "max_epochs": 100_000, "patience": 100_000}, hidden_size=8)
    began: list[int] = []

    class Broken(Forecaster):
        def fit(self, frame: Any, **how: Any) -> "Broken":
            began.append(self.options["random_state"])
            if self.options["random_state"] == 8:
                while len(began) < 2:
                    time.sleep(0.01)
                raise InputError("the training loss stopped being a number")
            return super().fit(frame, **how)

    with pytest.raises(InputError, match="seed 8: the training loss stopped"):
        fit_seeds(Broken(**face.get_params()), panel(), (7, 8, 9), workers=2)
    assert sorted(began)[:2] == [7, 8]
    assert not [each for each in threading.enumerate() if each.name.startswith("tsrnn-seed")]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seeds": 0}, "seeds takes a count above 0"),
        ({"seeds": [1, 1]}, "numbers that differ"),
        ({"seeds": []}, "seeds takes a count above 0"),
        ({"seeds": True}, "seeds takes a count above 0"),
        ({"seeds": [0, "a"]}, "random_state"),
        ({"workers": 0}, "workers must be a whole number above 0, not 0"),
        ({"threads": 1.5}, "threads must be a whole number above 0, not 1.5"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_trained(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        fit_seeds(Forecaster("nlinear", **QUICK), panel(), **{"seeds": 2, "workers": 2, **change})


def test_two_devices_are_refused_beside_other_seeds() -> None:
    with pytest.raises(InputError, match="leave accelerator and devices out, or take workers=1"):
        fit_seeds(Forecaster("nlinear", **QUICK, devices=2), panel(), 2, workers=2)


def test_the_mean_forecasts_the_mean_and_is_kept_like_any_other(tmp_path: Any) -> None:
    fitted = fit_seeds(Forecaster("segrnn", **QUICK, hidden_size=8, quantiles=[0.1, 0.9]), panel(), 3)
    made = side_by_side.mean(fitted)
    points = [each.predict()["y"].to_numpy() for each in fitted]
    np.testing.assert_allclose(made.predict()["y"].to_numpy(), np.mean(points, 0), atol=2e-5)
    assert (made.predict()["y_q0.1"] < made.predict()["y_q0.9"]).all()
    assert made.report_.epochs == max(each.report_.epochs for each in fitted)
    made.save(tmp_path / "kept")
    again = Forecaster.load(tmp_path / "kept")
    assert again.predict(panel()).equals(made.predict(panel()))
    assert "random_state" in again.get_params()
    assert not hasattr(fitted[0].model_, "members")


def test_a_mean_of_what_is_not_alike_is_refused() -> None:
    face, frame = Forecaster("nlinear", **QUICK), panel()
    one, other = face.clone().fit(frame), Forecaster("nlinear", **{**QUICK, "max_epochs": 1}).fit(frame)
    with pytest.raises(InputError, match="differ in their seed alone"):
        side_by_side.mean([one, other])
    with pytest.raises(InputError, match="got none"):
        side_by_side.mean([])
    with pytest.raises(InputError, match="not fitted"):
        side_by_side.mean([face])
    with pytest.raises(InputError, match="'repeat_last' are all the same"):
        side_by_side.mean(fit_seeds(Forecaster("repeat_last", **QUICK), frame, 2))
