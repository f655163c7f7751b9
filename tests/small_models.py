"""Small models and batches for the tests of models."""

from dataclasses import fields

import torch

from tsrnn import models
from tsrnn.shapes import Batch, Spec

SMALL = {"hidden_size": 16, "segment": 8, "paths": 12}
SPEC = Spec(input_size=48, horizon=13, channels=2, targets=2, seasonality=8)
COVARIED = Spec(48, 13, channels=3, targets=2, known=2, static=2, seasonality=8)


def small(name):
    own = {each.name for each in fields(models.find(name).config)}
    return {option: value for option, value in SMALL.items() if option in own}


def made(name, spec=SPEC, seed=0, **options):
    config = models.configure(name, {**small(name), **options})
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return models.build(name, config, spec).eval()


def batch_of(spec=SPEC, rows=4, seed=3, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    past = torch.randn(rows, spec.input_size, spec.channels, generator=generator)
    target = torch.randn(rows, spec.horizon, spec.targets, generator=generator).to(dtype)
    return Batch(past.to(dtype), target, phase=31 * torch.arange(rows) - 5)


def covaried_batch():
    draw = torch.Generator().manual_seed(5)
    return Batch(
        torch.randn(4, 48, 3, generator=draw),
        torch.randn(4, 13, 2, generator=draw),
        known=torch.randn(4, 61, 2, generator=draw),
        static=torch.randn(4, 2, generator=draw),
    )
