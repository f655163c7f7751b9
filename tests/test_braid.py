"""Our own model: its strands start at nothing, each learns what only it can, and all together are small."""

import pytest
import torch
from small_models import batch_of, made

from tsrnn import models, testing
from tsrnn.infer import parameters
from tsrnn.shapes import Spec

STRANDS = [{"skip": "plain"}, {"skip": "sparse"}, {"cycle": 24}, {"skip": "plain", "cycle": 7}]


@pytest.mark.parametrize("options", STRANDS, ids=str)
def test_cycle_and_skip_begin_at_nothing_and_take_part(options):
    bare, braided = made("braid", skip="none", cycle=0), made("braid", **{"skip": "none", "cycle": 0, **options})
    own = set(dict(braided.named_parameters())) - set(dict(bare.named_parameters()))
    assert own
    braided.load_state_dict(bare.state_dict(), strict=False)
    batch = batch_of()
    batch.phase = torch.arange(len(batch.past))
    torch.testing.assert_close(braided(batch), bare(batch))
    braided(batch).square().sum().backward()
    slopes = dict(braided.named_parameters())
    assert any(slopes[name].grad.abs().max() > 0 for name in own)


@pytest.mark.parametrize("options", STRANDS, ids=str)
def test_the_contract_with_every_strand(options):
    testing.check_model("braid", hidden_size=16, segment=8, **options)


def test_the_whole_braid_is_a_quarter_of_the_segment_rnn_of_the_paper():
    spec = Spec(input_size=336, horizon=720, channels=7, targets=7, seasonality=24)
    whole = models.build("braid", models.configure("braid", {"skip": "plain", "cycle": 24}), spec)
    paper = models.build("segrnn", models.configure("segrnn", {"hidden_size": 512}), spec)
    assert 4 * parameters(whole) < parameters(paper)
