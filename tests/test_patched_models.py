"""Models over patches and over variates: what each promises beside the contract of all models."""

from dataclasses import replace

import pytest
import torch
from small_models import COVARIED, SPEC, batch_of, covaried_batch, made
from torch import nn

from tsrnn import testing
from tsrnn.errors import InputError
from tsrnn.layers.mlstm import MatrixBlock
from tsrnn.layers.patches import Patches
from tsrnn.layers.selective import SelectiveBlock
from tsrnn.layers.ssd import HeadsBlock
from tsrnn.layers.xlstm import RecurrentBlock, stack
from tsrnn.recurrence import build, matrices

REPLACING = {"xlstm_mixer": {"refine": False, "centring": "season"}}  # what the variates say shows before any training
PATCHED = ("p_slstm", "patch_min_rnn", "selective", "xlstm")
MIXING = ("s_mamba", "xlstm_mixer")
OTHER = [
    ("p_slstm", {"overlap": 0.0, "num_layers": 2, "heads": 2, "centring": "revin"}),
    ("patch_min_rnn", {"cell": "minlstm", "bidirectional": True, "segment": 7, "overlap": 0.7}),
    ("selective", {"overlap": 0.0, "num_layers": 2, "segment": 12}),
    ("selective", {"kind": "ssd", "head_size": 8, "num_layers": 2}),
    ("xlstm", {"ratio": "1:0", "num_layers": 1, "overlap": 0.0, "centring": "revin"}),
    ("xlstm", {"ratio": "2:1", "num_layers": 4, "heads": 2, "segment": 12}),
    ("s_mamba", {"num_layers": 1, "centring": "revin"}),
    ("xlstm_mixer", {"refine": False, "memory": 1, "num_layers": 2, "centring": "last"}),
]


def sensitivity(model, batch, target):
    """How far each channel's past moves one target's forecast: [channel]."""
    past = batch.past.clone().requires_grad_()
    (slope,) = torch.autograd.grad(model(replace(batch, past=past))[:, :, target].sum(), past)
    return slope.abs().sum((0, 1))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), OTHER)
def test_the_contract_of_other_settings(name, options):
    testing.check_model(name, **{"hidden_size": 16, **({"segment": 8} if name in PATCHED else {}), **options})


@pytest.mark.parametrize("name", PATCHED + MIXING)
def test_double_precision_is_single_precision_more_exactly(name):
    single = made(name)(batch_of())
    double = made(name).double()(batch_of(dtype=torch.float64))
    assert double.dtype == torch.float64
    torch.testing.assert_close(single.double(), double, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", PATCHED + MIXING)
@pytest.mark.parametrize("kind", ["last", "season", "revin"])
def test_centring_takes_the_level_along(name, kind):
    model, batch = made(name, centring=kind), batch_of()
    before = model(batch)
    batch.past = batch.past + 7
    torch.testing.assert_close(model(batch), before + 7, atol=1e-3, rtol=1e-4)
    if kind == "revin":
        batch.past = batch.past * 10
        torch.testing.assert_close(model(batch), (before + 7) * 10, atol=2e-2, rtol=1e-3)


@pytest.mark.parametrize("name", PATCHED + MIXING)
@pytest.mark.parametrize("part", ["past", "known", "static"])
def test_covariates_are_read(name, part):
    model, batch = made(name, COVARIED, **REPLACING.get(name, {})), covaried_batch()
    before = model(batch)
    if part == "past":
        batch.past[:, -8:, 2] += 1
    else:
        setattr(batch, part, getattr(batch, part) + 1)
    assert not torch.allclose(model(batch), before)


# Patches.


def test_patches_overlap_and_end_with_the_newest_step():
    patches = Patches(11, segment=4, overlap=0.5, width=1, hidden=4)
    patches.embed.weight.data = torch.eye(4)
    patches.embed.bias.data.zero_()
    cut = patches(torch.arange(11.0).view(1, 11, 1))
    assert patches.steps == 4
    assert cut[0].tolist() == [[1, 2, 3, 4], [3, 4, 5, 6], [5, 6, 7, 8], [7, 8, 9, 10]]


@pytest.mark.parametrize(("overlap", "steps"), [(0.0, 2), (0.25, 3), (0.5, 4), (0.9, 8)])
def test_how_many_patches(overlap, steps):
    patches = Patches(11, segment=4, overlap=overlap, width=3, hidden=5)
    assert patches(torch.zeros(2, 11, 3)).shape == (2, steps, 5)
    assert patches.steps == steps


@pytest.mark.parametrize("name", PATCHED)
def test_patches_that_do_not_fit_are_refused(name):
    with pytest.raises(InputError, match="overlap must be at least 0 and below 1, not 1"):
        made(name, overlap=1)
    with pytest.raises(InputError, match="segment=49 is longer than input_size=48"):
        made(name, segment=49)


@pytest.mark.parametrize("name", PATCHED)
def test_the_head_reads_every_patch(name):
    model, batch = made(name, centring="none"), batch_of()
    weight = model.head[-1].weight.data
    weight[:, :-16] = 0  # leaves the newest patch alone, which a recurrence has brought the oldest to
    newest = model(batch)
    batch.past[:, :4] += 1
    assert not torch.equal(model(batch), newest)
    weight[:, -16:] = 0
    weight[:, :16] = 1  # the oldest patch alone, which has seen nothing newer than itself
    oldest = model(batch)
    batch.past[:, -4:] += 1
    assert torch.equal(model(batch), oldest)


def test_a_bidirectional_recurrence_brings_the_newest_to_the_oldest_patch():
    model, batch = made("patch_min_rnn", bidirectional=True, centring="none"), batch_of()
    model.head[-1].weight.data[:, 16:] = 0
    before = model(batch)
    batch.past[:, -1] += 1
    assert not torch.allclose(model(batch), before)


@pytest.mark.parametrize("name", PATCHED + MIXING)
def test_a_short_row_is_filled_with_its_first_step(name):
    model, batch = made(name, centring="season"), batch_of()
    batch.lengths = torch.tensor([20, 20, 9, 48])
    short = model(batch)
    filled = batch.past.clone()
    filled[:2, :28], filled[2, :39] = filled[:2, 28:29], filled[2, 39:40]
    torch.testing.assert_close(short, model(replace(batch, past=filled, lengths=None)))


# Blocks of matrix memories.


def kinds(**options):
    """The cell of each block, in their order."""
    names = {MatrixBlock: "m", RecurrentBlock: "s"}
    return "".join(names[type(block)] for block in made("xlstm", **options).blocks[:-1])


def test_the_ratio_says_which_blocks_are_slstm():
    assert kinds() == "ms"
    assert kinds(num_layers=3) == "msm"
    assert kinds(ratio="1:0", num_layers=3) == "mmm"
    assert kinds(ratio="0:1", num_layers=1) == "s"
    assert kinds(ratio="2:1", num_layers=5) == "mmsmm"
    assert kinds(ratio="1:2", num_layers=4) == "mssm"


@pytest.mark.parametrize("ratio", ["1", "1:", "0:0", "1:1:1", "a:b", "-1:2", "1.5:1", ""])
def test_a_ratio_that_is_none_is_refused(ratio):
    with pytest.raises(InputError, match=f"ratio takes mLSTM to sLSTM blocks, such as '1:1' or '7:1', not '{ratio}'"):
        made("xlstm", ratio=ratio)


def test_a_ratio_that_leaves_no_slstm_is_refused():
    with pytest.raises(InputError, match="ratio='3:1' has no sLSTM among num_layers=3; take at least 4 layers, or"):
        made("xlstm", ratio="3:1", num_layers=3)
    assert kinds(ratio="3:1", num_layers=4) == "mmms"


def test_xlstm_of_slstm_alone_is_p_slstm():
    shared = {"num_layers": 2, "heads": 2}
    alone, other = made("xlstm", ratio="0:1", **shared), made("p_slstm", **shared)
    assert list(alone.state_dict()) == list(other.state_dict())
    assert torch.equal(alone(batch_of()), other(batch_of()))


def test_selective_takes_the_blocks_of_its_kind():
    for kind, block in (("selective", SelectiveBlock), ("ssd", HeadsBlock)):
        blocks = made("selective", kind=kind, num_layers=2).blocks
        assert [type(each) for each in blocks] == [block, block, nn.RMSNorm]
    with pytest.raises(InputError, match="unknown kind of model 'selective' 'sdd': did you mean 'ssd'"):
        made("selective", kind="sdd")
    with pytest.raises(InputError, match=r"head_size=7 must divide 2 \* hidden_size=32"):
        made("selective", kind="ssd", head_size=7)


@pytest.mark.skipif(not build.available()[0], reason="there is no C++ compiler")
@pytest.mark.parametrize(
    ("name", "options", "calls"),
    [("xlstm", {}, 1), ("xlstm", {"ratio": "1:0", "num_layers": 3}, 3), ("selective", {"kind": "ssd"}, 1)],
)
def test_models_of_matrix_memories_train_through_the_compiled_kernel(name, options, calls, monkeypatch):
    run, ran = matrices._call, []
    monkeypatch.setattr(matrices, "_call", lambda kernel, *given: (ran.append(kernel), run(kernel, *given)))
    made(name, **options).train()(batch_of()).square().mean().backward()
    assert ran == ["memory_forward"] * calls + ["memory_backward"] * calls


# The block of recurrences.


def by_hand(block, x, heads):
    """The block's two parts, one row and step at a time."""
    mixed = block.recurrent(nn.functional.layer_norm(x, x.shape[-1:], block.before.weight, block.before.bias))[0]
    rows, steps, width = x.shape
    groups = mixed.view(rows, steps, heads, width // heads)
    groups = groups - groups.mean(-1, keepdim=True)
    groups = groups / (groups.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    x = x + groups.reshape(x.shape) * block.group.weight + block.group.bias
    z = nn.functional.layer_norm(x, x.shape[-1:], block.between.weight, block.between.bias)
    up, gate = block.feed.up(z).chunk(2, -1)
    return x + block.feed.down(nn.functional.gelu(up) * gate)


@pytest.mark.parametrize("cell", ["slstm", "mingru"])
@pytest.mark.parametrize("heads", [1, 2, 4])
def test_the_block_by_hand(cell, heads):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        block, x = RecurrentBlock(8, cell, heads).double(), torch.randn(3, 5, 8, dtype=torch.float64)
        for weight in (block.group.weight, block.group.bias, block.before.bias):
            nn.init.normal_(weight)
    torch.testing.assert_close(block(x), by_hand(block, x, heads))


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(InputError, match="heads=3 must divide hidden_size=16"):
        made("p_slstm", heads=3)
    with pytest.raises(InputError, match="num_layers must be at least 1, not 0"):
        stack(8, 0)


# Variates.


def test_s_mamba_mixes_every_channel_into_every_target():
    spec = replace(SPEC, channels=4, targets=3)
    model, batch = made("s_mamba", spec, num_layers=1, centring="none"), batch_of(spec)
    for target in range(3):
        assert (sensitivity(model, batch, target) > 1e-4).all()


def test_s_mamba_of_one_variate_trains_no_decay():
    alone, two = made("s_mamba", replace(SPEC, channels=1, targets=1)), made("s_mamba")
    frozen = {name for name, weight in alone.named_parameters() if not weight.requires_grad}
    assert frozen == {f"mixers.{k}.{way}.log_rate" for k in range(2) for way in ("onward", "back")}
    assert all(weight.requires_grad for weight in two.parameters())


def test_xlstm_mixer_starts_as_nlinear():
    mixer, linear, batch = made("xlstm_mixer", centring="none"), made("nlinear"), batch_of()
    mixer.linear.weight.data += torch.randn(13, 48, generator=torch.Generator().manual_seed(0))
    linear.linear.load_state_dict(mixer.linear.state_dict())
    torch.testing.assert_close(mixer(batch), linear(batch))


def test_xlstm_mixer_reads_the_variates_in_order():
    spec = replace(SPEC, channels=4, targets=3)  # read as covariate, then the three targets
    model, batch = made("xlstm_mixer", spec, refine=False, centring="none"), batch_of(spec)
    reached = torch.stack([sensitivity(model, batch, target) > 0 for target in range(3)])
    assert reached.tolist() == [[True, False, False, True], [True, True, False, True], [True, True, True, True]]


def test_both_views_of_xlstm_mixer_count():
    model, batch = made("xlstm_mixer", refine=False), batch_of()
    seen = []
    model.blocks.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    whole = model(batch)
    assert torch.equal(seen[1], seen[0].flip(-1))
    model.views.weight.data[:, 16:] = 0
    assert not torch.allclose(model(batch), whole)


@pytest.mark.parametrize("name", MIXING)
def test_the_future_of_what_is_known_ahead_is_read(name):
    model, batch = made(name, COVARIED, **REPLACING.get(name, {})), covaried_batch()
    before = model(batch)
    batch.known[:, -1, 0] += 1
    assert not torch.allclose(model(batch)[:, 0], before[:, 0])
