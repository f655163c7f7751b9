"""What the decoder is fed, when, and that attention reads old steps."""

import math

import pytest
import torch
from small_models import batch_of, made


def fed(model, batch):
    """What the decoder was fed at each step: [step row written]."""
    seen = []
    step = model.decoder.step
    model.decoder.step = lambda x, state: (seen.append(x.detach().clone()), step(x, state))[1]
    forecast = model(batch)
    del model.decoder.step
    return torch.stack(seen), forecast


@pytest.mark.parametrize("shared", [True, False])
def test_teacher_forcing_feeds_the_truth(shared):
    model, batch = made("seq2seq", segment=1, shared=shared, centring="last", dropout=0.0).train(), batch_of()
    model.truth = 1.0
    seen, _ = fed(model, batch)
    steps = torch.cat([batch.past[:, -1:], batch.target[:, :-1]], 1) - batch.past[:, -1:]  # [batch horizon target]
    wanted = steps.permute(1, 0, 2) if not shared else steps.permute(1, 0, 2).reshape(13, 8, 1)
    torch.testing.assert_close(seen, wanted)


def test_an_evaluated_decoder_is_fed_its_own_words():
    model, batch = made("seq2seq", segment=1, centring="last"), batch_of()
    model.truth = 1.0
    seen, forecast = fed(model, batch)
    own = (forecast[..., 0] - batch.past[:, -1:]).permute(1, 0, 2).reshape(13, 8, 1)
    torch.testing.assert_close(seen[1:], own[:-1])
    assert not seen[0].any()  # the last value, less itself


def test_scheduled_sampling_feeds_some_of_both():
    model, batch = made("seq2seq", segment=1, centring="last", dropout=0.0).train(), batch_of(rows=200)
    model.truth = 0.3
    seen, _ = fed(model, batch)
    truth = (batch.target - batch.past[:, -1:]).permute(1, 0, 2).reshape(13, 400, 1)
    share = torch.isclose(seen[1:], truth[:-1]).float().mean()
    assert float(share) == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("linear", lambda progress: 1 - progress),
        ("inverse_sigmoid", lambda progress: 1 / (1 + math.exp(10 * (progress - 0.5)))),
        ("always", lambda progress: 1.0),
        ("never", lambda progress: 0.0),
    ],
)
def test_how_often_the_truth_is_fed(schedule, expected):
    model = made("seq2seq", schedule=schedule)
    for progress in (0.0, 0.25, 0.5, 0.95):
        model.epoch_starts(progress)
        assert model.truth == pytest.approx(expected(progress))


def test_attention_changes_the_forecast_and_reads_old_steps():
    model, batch = made("seq2seq", attention=True, segment=1, centring="none"), batch_of()
    batch.past.requires_grad_()
    (slope,) = torch.autograd.grad(model(batch)[:, -1].sum(), batch.past)
    assert slope[:, 0].abs().min() > 0
    plain = made("seq2seq", segment=1, centring="none")
    assert not torch.allclose(plain(batch), model(batch))
