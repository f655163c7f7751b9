"""Windows against a naive slice of the frame: which there are, what they hold, and that nothing is copied for them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small import arrays_of, cut_of, waves, whole

from tsrnn import buffer, scale, split, windows
from tsrnn.errors import InputError
from tsrnn.split import Part


@st.composite
def tasks(draw):
    """Ragged series with gaps and missing cells, a part of them, and a window's size."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    lengths = draw(st.lists(st.integers(1, 14), min_size=1, max_size=3))
    channels = draw(st.integers(1, 3))
    rows = sum(lengths)
    values = rng.standard_normal((rows, channels)).round(2)
    values[rng.random(values.shape) < draw(st.sampled_from([0.0, 0.1, 0.6]))] = np.nan
    breaks = np.flatnonzero(rng.random(rows) < draw(st.sampled_from([0.0, 0.15])))
    breaks = breaks[breaks > 0]
    stretches = len(np.union1d(np.cumsum([0, *lengths]), breaks)) - 1
    arrays = arrays_of(
        *np.split(values, np.cumsum(lengths)[:-1]),
        targets=draw(st.integers(1, channels)),
        breaks=breaks,
        known=rng.standard_normal((rows, 2)).astype(np.float32) if draw(st.booleans()) else None,
        static=rng.standard_normal((len(lengths), 2)).astype(np.float32) if draw(st.booleans()) else None,
        first=rng.integers(-10_000, 10_000, stretches) if draw(st.booleans()) else None,
    )
    input_size, horizon = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    edges = np.sort(rng.integers(0, np.array(lengths) + 1, (2, len(lengths))), axis=0)
    part = Part(*(arrays.offsets[:-1] + edges)) if draw(st.booleans()) else whole(arrays)
    padding = input_size - 1 if draw(st.booleans()) else 0
    scaling = scale.fit("standard", arrays, whole(arrays), per_series=draw(st.booleans()))
    return arrays, scaling, part, input_size, horizon, padding


def naive_rows(arrays, scaling):
    """(values, observed) of every row, filled forward inside its segment, one cell at a time."""
    values = np.zeros((arrays.rows, len(arrays.columns)), np.float32)
    seen = np.zeros(values.shape, bool)
    for begin, end in zip(*arrays.segments(), strict=True):
        series = next(k for k in range(len(arrays.ids)) if arrays.offsets[k] <= begin < arrays.offsets[k + 1])
        for channel, column in enumerate(arrays.columns):
            last = 0.0
            for row in range(begin, end):
                if not np.isnan(column[row]):
                    last = (column[row] - scaling.loc[series, channel]) / (scaling.scale[series, channel] or 1)
                    seen[row, channel] = True
                values[row, channel] = last
    return values, seen


def number_of(arrays, row):
    """The absolute step number of a row."""
    begin = arrays.segments()[0].tolist()
    stretch = max(k for k, each in enumerate(begin) if each <= row)
    return int(arrays.first[stretch]) + row - begin[stretch]


def naive_windows(arrays, scaling, part, input_size, horizon, padding):
    """What each window should hold, found by trying every row as its first target."""
    values, seen = naive_rows(arrays, scaling)
    found = []
    for series in range(len(arrays.ids)):
        for begin, end in zip(*arrays.segments(), strict=True):
            if not arrays.offsets[series] <= begin < arrays.offsets[series + 1]:
                continue
            for first in range(max(begin, part.begin[series]), min(end, part.end[series]) - horizon + 1):
                behind = np.arange(first - input_size, first)
                if first - input_size + padding < begin:
                    continue
                real, rows = behind >= begin, np.maximum(behind, begin)
                ahead = np.arange(first, first + horizon)
                window = {
                    "past": values[rows],
                    "observed": seen[rows] & real[:, None],
                    "target": values[ahead, : arrays.targets],
                    "target_observed": seen[ahead, : arrays.targets],
                    "rows": np.concatenate([rows, ahead]),
                    "length": int(real.sum()),
                    "series": series,
                }
                if window["target_observed"].any() and window["observed"][:, : arrays.targets].any():
                    found.append(window)
    return found


@settings(max_examples=150, deadline=None)
@given(tasks())
def test_windows_are_the_naive_slices(task):
    arrays, scaling, part, input_size, horizon, padding = task
    cut = windows.cut(buffer.lay(arrays, scaling, padding), part, input_size, horizon)
    expected = naive_windows(*task)
    assert len(cut) == len(expected)
    if not expected:
        return
    batch = cut.gather(torch.arange(len(cut)))
    for name in ("past", "target"):
        np.testing.assert_array_equal(getattr(batch, name).numpy(), np.stack([each[name] for each in expected]))
    for name in ("observed", "target_observed"):
        mask = np.stack([each[name] for each in expected])
        assert mask.all() if getattr(batch, name) is None else np.array_equal(getattr(batch, name).numpy(), mask)
    lengths = [each["length"] for each in expected]
    assert [input_size] * len(cut) == lengths if batch.lengths is None else batch.lengths.tolist() == lengths
    numbers = None if arrays.first is None else [number_of(arrays, each["rows"][input_size]) for each in expected]
    assert batch.phase is None if numbers is None else batch.phase.tolist() == numbers
    series = [each["series"] for each in expected]
    if arrays.known is None:
        assert batch.known is None
    else:
        np.testing.assert_array_equal(batch.known.numpy(), arrays.known[np.stack([each["rows"] for each in expected])])
    if arrays.static is None:
        assert batch.static is None
    else:
        np.testing.assert_array_equal(batch.static.numpy(), arrays.static[series])
    undone = batch.undo.invert(batch.target).numpy()
    raw = np.stack([np.stack(arrays.columns[: arrays.targets], 1)[each["rows"][-horizon:]] for each in expected])
    seen = ~np.isnan(raw)
    np.testing.assert_allclose(undone[seen], raw[seen], atol=1e-5)


@settings(max_examples=100, deadline=None)
@given(tasks())
def test_latest_ends_with_each_series(task):
    arrays, scaling, _, input_size, horizon, padding = task
    laid = buffer.lay(arrays, scaling, padding)
    begin, end = arrays.segments()
    starts = [begin[list(end).index(stop)] for stop in arrays.offsets[1:]]
    room = min(stop - start for start, stop in zip(starts, arrays.offsets[1:], strict=True))
    if room + padding < input_size:
        with pytest.raises(
            InputError, match=r"ends with \d+ rows? without a gap|series end with too few rows without a gap \("
        ):
            windows.latest(laid, input_size)
        return
    ahead = np.arange(len(arrays.ids) * horizon * 2, dtype=np.float32).reshape(-1, 2)
    batch = windows.latest(laid, input_size, ahead if arrays.known is not None else None)
    values, seen = naive_rows(arrays, scaling)
    for series, (start, stop) in enumerate(zip(starts, arrays.offsets[1:], strict=True)):
        behind = np.arange(stop - input_size, stop)
        rows = np.maximum(behind, start)
        np.testing.assert_array_equal(batch.past[series].numpy(), values[rows])
        mask = seen[rows] & (behind >= start)[:, None]
        assert int((behind >= start).sum()) == (input_size if batch.lengths is None else batch.lengths[series])
        assert mask.all() if batch.observed is None else np.array_equal(batch.observed[series].numpy(), mask)
        if arrays.known is not None:
            wanted = np.concatenate([arrays.known[rows], ahead[series * horizon : (series + 1) * horizon]])
            np.testing.assert_array_equal(batch.known[series].numpy(), wanted)
        if arrays.static is not None:
            np.testing.assert_array_equal(batch.static[series].numpy(), arrays.static[series])
        if arrays.first is not None:
            assert int(batch.phase[series]) == number_of(arrays, stop - 1) + 1
    assert batch.target is None
    assert (batch.phase is None) == (arrays.first is None)


def test_counts_of_the_fair_protocol():
    arrays = arrays_of(waves(17_420, 7))
    parts = split.borders(arrays, [8640, 11_520, 14_400])
    laid = buffer.lay(arrays, scale.fit("standard", arrays, parts.train))
    for horizon, count in {96: 2785, 192: 2689, 336: 2545, 720: 2161}.items():
        for input_size in (96, 336):
            assert len(windows.cut(laid, parts.test, input_size, horizon)) == count
            assert len(windows.cut(laid, parts.val, input_size, horizon)) == count
            assert len(windows.cut(laid, parts.train, input_size, horizon)) == 8640 - input_size - horizon + 1


def test_a_gap_ends_a_window():
    cut = cut_of(arrays_of(np.arange(20.0)[:, None], breaks=[8]), 3, 2)
    batch = cut.gather(torch.arange(len(cut)))
    rows = torch.cat([batch.past, batch.target], 1)[..., 0]
    assert (rows.diff(dim=1) == 1).all()
    assert not ((rows[:, :1] < 8) & (rows[:, -1:] >= 8)).any()
    assert len(cut) == (8 - 5 + 1) + (12 - 5 + 1)


def test_filling_never_looks_ahead():
    column = np.array([np.nan, 1.0, np.nan, np.nan, 4.0, 5.0, 6.0])[:, None]
    laid = buffer.lay(arrays_of(column), scale.Affine(np.zeros((1, 1)), np.ones((1, 1))))
    assert laid.values[:, 0].tolist() == [0, 1, 1, 1, 4, 5, 6]
    assert laid.observed[:, 0].tolist() == [False, True, False, False, True, True, True]


def test_a_window_needs_a_target_and_something_to_start_from():
    column = np.array([1.0, 2.0, np.nan, np.nan, np.nan, np.nan, 7.0, 8.0])[:, None]
    starts = {size: cut_of(arrays_of(column), size, 2).targets_at.tolist() for size in (2, 4, 5)}
    assert starts == {2: [], 4: [5], 5: [5, 6]}  # with 4 steps, the past of 6 holds nothing; the target of 4 neither
    cut = cut_of(arrays_of(np.where(np.isnan(column), 0.0, column)), 2, 2)
    assert len(cut) == 5


@pytest.mark.parametrize("size", [1, 7, 64])
def test_batches_hold_each_window_once(size):
    cut = cut_of(arrays_of(np.arange(40.0)[:, None]), 3, 2)
    for generator in (None, torch.Generator().manual_seed(0)):
        batches = list(cut.batches(size, generator))
        firsts = torch.cat([batch.past[:, 0, 0] for batch in batches])
        assert sorted(firsts.tolist()) == list(range(len(cut)))
        assert {len(batch.past) for batch in batches[:-1]} <= {size}
        assert (firsts.tolist() == list(range(len(cut)))) == (generator is None)


def test_random_order_is_the_generators():
    cut = cut_of(arrays_of(np.arange(40.0)[:, None]), 3, 2)

    def order(seed):
        return [batch.past[:, 0, 0].tolist() for batch in cut.batches(8, torch.Generator().manual_seed(seed))]

    assert order(1) == order(1)
    assert order(1) != order(2)


def test_nothing_is_copied_before_a_batch():
    arrays = arrays_of(waves(500, 3))
    parts = split.ratios(arrays)
    laid = buffer.lay(arrays, scale.fit("standard", arrays, parts.train))
    train, test = (windows.cut(laid, part, 50, 20) for part in (parts.train, parts.test))
    memory = laid.values.untyped_storage()
    for cut in (train, test):
        assert cut._values.untyped_storage().data_ptr() == memory.data_ptr()
        assert cut._values.untyped_storage().nbytes() == memory.nbytes() == 500 * 3 * 4
    batch = train.gather(torch.tensor([0]))
    before = laid.values.clone()
    batch.past.zero_()
    assert torch.equal(laid.values, before)


def test_lengths_count_the_real_steps_of_each_past():
    arrays = arrays_of(np.arange(6.0)[:, None], np.arange(3.0)[:, None], breaks=[4])
    cut = cut_of(arrays, 3, 1, padding=2)
    assert cut.targets_at.tolist() == [1, 2, 3, 5, 7, 8]
    assert cut.lengths.tolist() == [1, 2, 3, 1, 1, 2]
    assert cut.gather(torch.tensor([4, 2])).lengths.tolist() == [1, 3]
    assert cut.thinned(2).lengths.tolist() == [1, 2]
    assert windows.latest(cut.buffer, 3).lengths.tolist() == [2, 3]
    assert cut.gather(torch.tensor([4])).to("meta").lengths.device.type == "meta"
    assert cut_of(arrays, 3, 1).gather(torch.tensor([0])).lengths is None
    assert cut_of(arrays, 1, 1, padding=4).lengths is None


def test_the_phase_counts_on_from_each_stretch():
    arrays = arrays_of(np.arange(6.0)[:, None], np.arange(3.0)[:, None], breaks=[4], first=np.array([100, -7, 9]))
    for padding, starts, phase in (
        (0, [2, 3, 8], [102, 103, 11]),
        (1, [1, 2, 3, 5, 7, 8], [101, 102, 103, -6, 10, 11]),
    ):
        cut = cut_of(arrays, 2, 1, padding=padding)
        assert (cut.targets_at.tolist(), cut.phase.tolist()) == (starts, phase)
        assert cut.gather(torch.tensor([2, 0])).phase.tolist() == [phase[2], phase[0]]
        assert windows.latest(cut.buffer, 2).phase.tolist() == [-5, 12]
    assert cut.thinned(2).phase.tolist() == [101, 11]
    assert cut.gather(torch.tensor([1])).phase.dtype == torch.int64
    assert cut.gather(torch.tensor([1])).to("meta").phase.device.type == "meta"


def test_thinned_windows_are_spread_evenly():
    cut = cut_of(arrays_of(np.arange(105.0)[:, None]), 3, 2)
    few = cut.thinned(11)
    assert few.targets_at.tolist() == list(range(3, 104, 10))
    assert torch.equal(few.gather(torch.tensor([1])).past, cut.gather(torch.tensor([10])).past)
    assert cut.thinned(1000) is cut


def test_scaling_and_its_undo_belong_to_the_series():
    arrays = arrays_of(waves(30), 100 + 10 * waves(30, seed=1))
    laid = buffer.lay(arrays, scale.fit("standard", arrays, whole(arrays), per_series=True))
    batch = windows.cut(laid, whole(arrays), 4, 2).gather(torch.tensor([0, 25]))
    assert batch.past.abs().max() < 3
    np.testing.assert_allclose(batch.undo.invert(batch.target)[1, :, 0], arrays.columns[0][34:36], rtol=1e-5)
    np.testing.assert_allclose(batch.undo.invert(batch.target)[0, :, 0], arrays.columns[0][4:6], rtol=1e-5)


@pytest.mark.parametrize(("input_size", "horizon"), [(0, 1), (1, 0)])
def test_sizes_below_one_are_refused(input_size, horizon):
    with pytest.raises(InputError, match="must be at least 1"):
        cut_of(arrays_of(waves(10)), input_size, horizon)


def test_the_short_series_is_named():
    arrays = arrays_of(waves(30), waves(5))
    cut = cut_of(arrays, 6, 3)
    with pytest.raises(InputError, match="series 's1' has 5 rows to learn from, but input_size=6 and horizon=3 need 9"):
        windows.refuse_empty(cut, whole(arrays))
    held_out = Part(arrays.offsets[:-1], np.array([30, 30]))
    windows.refuse_empty(cut_of(arrays, 6, 3, held_out), held_out)


def test_gaps_everywhere_are_named():
    arrays = arrays_of(waves(30), breaks=range(4, 30, 4))
    with pytest.raises(InputError, match="no stretch of 9 rows without a gap"):
        windows.refuse_empty(cut_of(arrays, 6, 3), whole(arrays))


def test_a_part_that_holds_no_horizon_is_named():
    arrays = arrays_of(waves(30), waves(20))
    narrow = Part(arrays.offsets[1:] - 2, arrays.offsets[1:])
    with pytest.raises(InputError, match="leaves at most 2 rows of a series to the part 'test', where horizon=3 needs"):
        windows.refuse_empty(cut_of(arrays, 6, 3, narrow), narrow, name="test")


@pytest.mark.parametrize("padding", [0, 4])
def test_blocks_leave_no_seam(monkeypatch, padding):
    arrays = arrays_of(waves(30, 2), 5 + waves(17, 2, seed=1), breaks=[11])
    scaling = scale.fit("standard", arrays, whole(arrays), per_series=True)
    at_once = buffer.lay(arrays, scaling, padding)
    monkeypatch.setattr(buffer, "_BLOCK", 4)
    assert torch.equal(buffer.lay(arrays, scaling, padding).values, at_once.values)


def test_what_is_kept_of_windows_grows_with_the_stretches_not_with_their_rows():
    rows = 10**9
    column = np.broadcast_to(np.float32(0), rows)
    arrays = replace(arrays_of(np.zeros((1, 1))), columns=(column,), offsets=np.array([0, rows]))
    values = torch.zeros(1, 1).expand(rows, 1)
    begin, end = arrays.segments()
    undo = scale.Affine(torch.zeros(1, 1, 1), torch.ones(1, 1, 1))
    laid = buffer.Buffer(values, None, None, None, undo, begin, end, np.zeros(1, np.int64), 0, 1, arrays)
    cut = windows.cut(laid, whole(arrays), 720, 96)
    assert len(cut) == rows - 720 - 96 + 1
    assert cut.anchors.first.nbytes + cut.anchors.counts.nbytes + cut.anchors.before.nbytes < 100
    which = torch.tensor([len(cut) - 1, 0])
    assert cut.anchors.at(which.numpy()).tolist() == [rows - 96, 720]
    assert cut.gather(which).past.shape == (2, 720, 1)
