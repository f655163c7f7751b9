"""Counts and mixtures against scipy's, in float64: likelihood, quantiles, draws, and what samples show."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from scipy import stats
from small import arrays_of

from tsrnn import heads, models, testing
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster
from tsrnn.scale import Affine
from tsrnn.shapes import Batch, Spec

LEVELS = [0.001, 0.1, 0.5, 0.77, 0.99]
UNITS = [(0.0, 1.0), (3.0, 2.5), (250.0, 100.0), (7.0, 0.0)]


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def uniform(*shape, seed=1):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def slow_counts(params, loc, scale):
    """scipy's negative binomial of one cell, by the definition."""
    unit = scale or 1.0
    middle = params[1] + loc / unit
    average = unit * (middle + np.sqrt(middle**2 + 0.1)) / 2
    dispersion = (np.logaddexp(0, params[0] - params[1]) + 1e-3) / np.sqrt(unit)
    return stats.nbinom(1 / dispersion, 1 / (1 + dispersion * average))


@pytest.mark.parametrize(("loc", "scale"), UNITS)
def test_counts_are_scipys_in_any_units(loc, scale):
    undo = Affine(torch.tensor([[[loc]]]).double(), torch.tensor([[[scale]]]).double())
    head, params = heads.build(None, "negative_binomial").at(undo), numbers(2, 4, 1, 2)
    counts = torch.tensor([0.0, 1, 5, 40]).double().view(1, 4, 1).expand(2, 4, 1)
    said = [slow_counts(params[cell].numpy(), loc, scale) for cell in np.ndindex(2, 4, 1)]
    density = -np.mean([each.logpmf(count) for each, count in zip(said, counts.flatten(), strict=True)])
    assert float(head.loss(params, undo.apply(counts), None)) == pytest.approx(density, rel=1e-8)
    point = undo.invert(head.point(params)).flatten()
    np.testing.assert_allclose(point, [each.mean() for each in said], rtol=1e-8)
    quantiles = undo.invert(head.quantiles(params, LEVELS)[..., 0, :]).reshape(8, -1)
    np.testing.assert_allclose(quantiles, [each.ppf(LEVELS) for each in said], rtol=1e-8, atol=1e-8)
    noise = uniform(2, 2, 4, 1)
    drawn = undo.invert(head.draw(params, noise)).flatten()
    wanted = [each.ppf(level) for each, level in zip(said, noise[0].flatten(), strict=True)]
    np.testing.assert_allclose(drawn, wanted, atol=1e-8)


def test_the_likelihood_of_counts_has_the_right_slope():
    undo = Affine(torch.tensor([[[3.0]]]).double(), torch.tensor([[[2.5]]]).double())
    head, params = heads.build(None, "negative_binomial").at(undo), numbers(2, 3, 1, 2).requires_grad_()
    target = undo.apply(torch.tensor([0.0, 4, 90]).double().view(1, 3, 1).expand(2, 3, 1))
    observed = torch.tensor([True, False, True]).view(1, 3, 1).expand(2, 3, 1)
    assert torch.autograd.gradcheck(lambda each: head.loss(each, target, observed), params)
    head.loss(params, target, observed).backward()
    assert not params.grad[:, 1].any()


def test_samples_of_counts_show_their_mean_and_variance():
    undo = Affine(torch.tensor([[3.0]]).double(), torch.tensor([[2.5]]).double())
    head = heads.build(None, "negative_binomial").at(undo)
    counts = stats.nbinom(2, 0.1).rvs((1, 2, 200_000), random_state=0)
    sample = torch.from_numpy((counts - 3.0) / 2.5)
    sample[..., :50] = torch.nan
    shown = head.of_samples(sample)
    said = slow_counts(shown[0, 0].numpy(), 3.0, 2.5)
    assert said.mean() == pytest.approx(counts[0, 0].mean(), rel=0.01)
    assert said.var() == pytest.approx(counts[0, 0].var(), rel=0.02)


@pytest.mark.parametrize("value", [-2.0, 0.5])
def test_what_is_no_count_is_refused(value):
    values = np.array([[1.0, 7.0], [np.nan, 2.0], [value, 3.0]])
    with pytest.raises(InputError, match=f"column 'c0', row 3 of series 's1' holds {value:g}, which is no count"):
        heads.build(None, "negative_binomial").check(arrays_of(np.ones((4, 2)), values))
    heads.build(None, "gaussian").check(arrays_of(values))
    frame = pl.DataFrame({"ds": range(60), "y": [value] * 60})
    for options in (
        {"model": "gru", "loss": "negative_binomial"},
        {"model": "deepar", "likelihood": "negative_binomial"},
    ):
        with pytest.raises(InputError, match="which is no count"):
            Forecaster(**options, input_size=8, horizon=2).fit(frame)


def test_errors_of_a_naive_forecast_are_no_counts():
    with pytest.raises(InputError, match="errors of a naive forecast are no counts"):
        Forecaster("repeat_last", input_size=4, horizon=2, loss="negative_binomial").fit(
            pl.DataFrame({"ds": range(60), "y": [1.0, 2.0] * 30})
        )


@pytest.mark.parametrize("scaler", ["standard", "mean_abs"])
def test_a_model_of_counts_knows_their_distribution(scaler):
    """Each series its own mean; the forecast's quantiles are whole numbers that hold their share."""
    rng, parts = np.random.default_rng(0), []
    for k, average in enumerate((1.0, 5.0, 40.0)):
        y = stats.nbinom(3, 3 / (3 + average)).rvs(700, random_state=rng)
        parts.append(pl.DataFrame({"unique_id": [f"s{k}"] * 700, "ds": range(700), "y": y.astype(float)}))
    forecaster = Forecaster(
        "gru",
        input_size=16,
        horizon=2,
        segment=4,
        hidden_size=8,
        max_epochs=6,
        loss="negative_binomial",
        scaler=scaler,
        scale_per_series=True,
        quantiles=[0.1, 0.9],
        learning_rate=5e-3,
    )
    forecast = forecaster.fit(pl.concat(parts)).predict()
    quantiles = forecast.select("y_q0.1", "y_q0.9").to_numpy()
    assert (quantiles == np.rint(quantiles)).all()
    assert (quantiles >= 0).all()
    for k, average in enumerate((1.0, 5.0, 40.0)):
        rows = forecast.filter(pl.col("unique_id") == f"s{k}")
        assert rows["y"].mean() == pytest.approx(average, rel=0.45, abs=0.7)
        assert rows["y_q0.9"].mean() == pytest.approx(stats.nbinom(3, 3 / (3 + average)).ppf(0.9), rel=0.45, abs=1)


# DeepAR draws counts, whatever the centring and the scale.


def test_deepar_draws_counts_in_the_units_of_the_data():
    spec = Spec(input_size=12, horizon=4, channels=2, targets=2, seasonality=4)
    config = models.configure("deepar", {"hidden_size": 6, "paths": 9, "likelihood": "negative_binomial"})
    model = testing.build("deepar", config, spec).double().eval()
    undo = Affine(torch.tensor([[[3.0, 50.0]]]).double(), torch.tensor([[[2.0, 20.0]]]).double())
    counts = torch.from_numpy(stats.nbinom(3, 0.3).rvs((3, 16, 2), random_state=0)).double()
    batch = Batch(undo.apply(counts[:, :12]), undo.apply(counts[:, 12:]), undo=undo)
    paths = model.paths(batch, 30, torch.Generator().manual_seed(0))
    assert paths.shape == (3, 4, 2, 30)
    drawn = undo.invert(paths.transpose(2, 3)).transpose(2, 3)
    torch.testing.assert_close(drawn, drawn.round().clamp(min=0), atol=1e-6, rtol=0)
    assert drawn.std() > 0
    moved = Affine(undo.loc, 2 * undo.scale)
    in_other_units = replace(batch, undo=moved)
    assert torch.isfinite(model.train().loss(in_other_units, heads.build(None, "mse")))
    assert torch.isfinite(model.eval()(batch)).all()


# A mixture.


def slow_mixture(params):
    """Shares, places and deviations of one cell."""
    k = (len(params) - 1) // 3
    middle = params[len(params) // 2]
    others = np.delete(params, len(params) // 2) - middle
    share = np.exp(others[:k]) / np.exp(others[:k]).sum()
    place = others[k : 2 * k] + np.linspace(-1, 1, k)
    return share, middle + place - (share * place).sum(), np.logaddexp(0, others[2 * k :]) + 1e-3


def test_a_mixture_is_scipys():
    head, target = heads.build(None, "mixture"), numbers(2, 3, 1, seed=1)
    params = 2 * numbers(2, 3, 1, head.params)
    density = []
    for cell in np.ndindex(2, 3, 1):
        share, place, deviation = slow_mixture(params[cell].numpy())
        density.append(np.log((share * stats.norm(place, deviation).pdf(float(target[cell]))).sum()))
        for level, quantile in zip(LEVELS, head.quantiles(params, LEVELS)[cell], strict=True):
            assert (share * stats.norm(place, deviation).cdf(float(quantile))).sum() == pytest.approx(level, abs=1e-9)
        assert float(head.point(params)[cell]) == pytest.approx((share * place).sum())
    assert float(head.loss(params, target, None)) == pytest.approx(-np.mean(density), rel=1e-9)
    assert torch.autograd.gradcheck(lambda each: head.loss(each, target, None), params.requires_grad_())


def test_draws_of_a_mixture_come_from_it():
    head = heads.build(None, "mixture")
    params = 2 * numbers(3, head.params)
    drawn = head.draw(params[:, None], uniform(2, 3, 20_000))
    for row in range(3):
        share, place, deviation = slow_mixture(params[row].numpy())
        levels = (share * stats.norm(place, deviation).cdf(drawn[row].numpy()[:, None])).sum(-1)
        assert stats.kstest(levels, "uniform").pvalue > 0.01


def test_moving_all_numbers_alike_moves_the_mixture():
    head = heads.build(None, "mixture")
    params = numbers(2, 3, 1, head.params)
    torch.testing.assert_close(head.quantiles(params + 7, LEVELS), head.quantiles(params, LEVELS) + 7)


def test_samples_of_two_heaps_are_shown_as_a_mixture_of_them():
    rng = np.random.default_rng(0)
    sample = np.concatenate([rng.normal(-3, 0.2, 4000), rng.normal(2, 0.3, 8000)])
    head = heads.build(None, "mixture")
    tensor = torch.from_numpy(np.append(sample, np.nan))[None]
    share, place, deviation = slow_mixture(head.of_samples(tensor)[0].numpy())
    np.testing.assert_allclose(place, [-3, place[1], place[2]], atol=0.02)
    assert (share * place).sum() == pytest.approx(sample.mean())
    assert (share * (deviation**2 + place**2)).sum() - sample.mean() ** 2 == pytest.approx(sample.var(), rel=0.02)
