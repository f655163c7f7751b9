"""New sequences like those of a frame: in its units, from a seed, by models that are trained in phases."""

import time

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from tsrnn import fit, models, tasks
from tsrnn.errors import InputError
from tsrnn.fit.phased import Turns
from tsrnn.forecaster import Forecaster
from tsrnn.generator import Generator
from tsrnn.models import Generative, Model
from tsrnn.phases import Phase
from tsrnn.registry import names
from tsrnn.simulate import sines, transformer

SMALL = {
    "rtsgan": {"hidden_size": 8, "code_size": 4, "width": 16, "encoding_steps": 20, "steps": 10, "critic_steps": 1},
    "timegan": {"hidden_size": 4, "num_layers": 1, "steps": 8},
}
MODELS = names("models.generate")


def world(count=60, length=8):
    """Sequences of two channels, x1 from 0 to 1 and x2 a hundred times as high."""
    return sines(0, count, length, 2).with_columns(pl.col("x2") * 100)


def small(model="rtsgan", input_size=8, **options):
    return Generator(model, input_size=input_size, **{**SMALL[model], "progress": False, **options})


@pytest.fixture(scope="module", params=MODELS)
def fitted(request):
    return small(request.param).fit(world(), id="sequence", time="step")


class TestTask:
    def test_windows_are_sequences_that_the_past_shows(self):
        task = tasks.find("generate")
        assert (task.before(6), task.length(6, 6), task.targets(6, 6)) == (0, 6, (0, 6))
        assert task.shows

    def test_a_forecaster_is_no_generator_and_the_other_way_round(self):
        with pytest.raises(InputError, match="model 'rtsgan' is for the task 'generate', not for 'ahead'"):
            Forecaster("rtsgan", input_size=12, horizon=3).configs()
        with pytest.raises(
            InputError, match="model 'lstm' is for the task 'ahead', not for 'generate'; take one of rt"
        ):
            Generator("lstm").configs()


def test_a_long_frame_of_the_type_that_came_in(fitted):
    made = fitted.sample(5)
    assert made.columns == ["sequence", "step", "x1", "x2"]
    assert made["sequence"].to_list() == [k for k in range(5) for _ in range(8)]
    assert made["step"].to_list() == [*range(8)] * 5
    again = small().fit(world().to_pandas(), id="sequence", time="step").sample(2)
    assert isinstance(again, pd.DataFrame)
    assert len(again) == 16


def test_the_array_is_the_frame(fitted):
    values = fitted.draw(3, seed=4)
    assert values.shape == (3, 8, 2)
    np.testing.assert_array_equal(values.reshape(-1, 2), fitted.sample(3, seed=4).select("x1", "x2").to_numpy())


def test_values_are_in_the_datas_units_and_within_what_was_learnt(fitted):
    values, real = fitted.draw(200), world()
    for k, name in enumerate(("x1", "x2")):
        assert values[..., k].min() >= real[name].min() - 1e-4 * real[name].max()
        assert values[..., k].max() <= real[name].max() * (1 + 1e-4)
        assert values[..., k].mean() > 0.2 * real[name].mean()


def test_a_seed_gives_the_same_sequences_and_another_one_others(fitted):
    np.testing.assert_array_equal(fitted.draw(4, seed=7), fitted.draw(4, seed=7))
    assert not np.array_equal(fitted.draw(4, seed=7), fitted.draw(4, seed=8))
    assert len(np.unique(fitted.draw(4)[:, 0, 0])) == 4


@pytest.mark.parametrize("model", MODELS)
def test_a_random_state_gives_the_same_model_and_no_global_generator_is_touched(model):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one, other = (small(model, random_state=5).fit(world(20), id="sequence", time="step") for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(one.draw(3), other.draw(3))
    different = small(model, random_state=6).fit(world(20), id="sequence", time="step")
    assert not np.array_equal(one.draw(3), different.draw(3))


def test_a_saved_generator_makes_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "made")
    again = Generator.load(tmp_path / "made")
    assert again.sample(4).equals(fitted.sample(4))
    with pytest.raises(InputError, match="holds no Forecaster, but a saved Generator"):
        Forecaster.load(tmp_path / "made")


def test_what_was_learnt_is_told_again(fitted):
    """The autoencoder's part of both: trained longer, it tells sequences again."""
    options = {"encoding_steps": 400} if fitted.model == "rtsgan" else {"steps": 150}
    longer = small(fitted.model, learning_rate=1e-2, **options).fit(world(), id="sequence", time="step")

    def error(generator):
        laid = generator.preparation_.lay(generator.panel_)
        from tsrnn import split, windows

        batch = windows.cut(laid, split.whole(laid.arrays), 8, 8, tasks.find("generate")).gather(torch.arange(60))
        with torch.inference_mode():
            return float((generator.model_(batch)[..., 0] - batch.target).square().mean())

    assert error(longer) < 0.5 * error(fitted)


LONGER = {
    "rtsgan": {"encoding_steps": 300, "steps": 500, "width": 32, "learning_rate": 3e-3, "critic_steps": 2},
    "timegan": {"hidden_size": 12, "steps": 400},
}


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_made_sequences_are_spread_as_real_ones_are(model):
    frame = world(400)
    made = small(model, **LONGER[model]).fit(frame, id="sequence", time="step").draw(400)
    real = frame.select("x1", "x2").to_numpy().reshape(-1, 8, 2)
    for sequences in (made, real):
        assert (np.diff(sequences.mean(0), axis=0) > 0).mean() > 0.9  # all sines rise on the whole
    np.testing.assert_allclose(made[:, 0].mean(0), real[:, 0].mean(0), rtol=0.1)
    ratio = made[:, -1].std(0) / real[:, -1].std(0)
    assert 0.4 < ratio.min() <= ratio.max() < 2.5


def test_windows_with_a_hole_are_not_learnt_from():
    frame = world(1, 40).with_columns(x1=pl.when(pl.col("step") != 20).then("x1"))
    with pytest.raises(
        InputError, match="frame has 0 stretches of input_size=21 rows without a hole or a gap, and two are"
    ):
        small(input_size=21).fit(frame.drop("sequence"), time="step")
    assert np.isfinite(small(input_size=19).fit(frame.drop("sequence"), time="step").draw(3)).all()


def test_scores_stand_beside_real_against_real():
    generator = small().fit(world(80), id="sequence", time="step", split={"by_series": {"val": 0.1, "test": 0.1}})
    split = {"by_series": {"val": 0.1, "test": 0.1}}
    scores = generator.scores(None, split, ("val", "test"), ("correlational", "nearest"))
    assert [*scores] == ["val", "test"]
    assert [*scores["test"].values] == ["correlational", "nearest"]
    table = scores["test"].by_lead["correlational"]
    assert table.shape == (len(scores["test"].series) + 1, 1)
    assert table[-1, 0] == scores["test"].correlational
    assert 0 < table[1, 0] < scores["test"].correlational  # real against real
    assert scores["test"].windows == 64
    for word in ("nearest", "correlational"):
        with pytest.raises(
            InputError, match="frame holds no sequence of 8 rows in the part 'test' of that split; give it"
        ):
            generator.scores(None, {"by_series": {"val": 0.2}}, ("test",), (word,))
    with pytest.raises(InputError, match="unknown measure 'nearst': did you mean 'nearest'"):
        generator.scores(None, split, ("test",), ("nearst",))


def test_a_score_is_that_of_a_part(tmp_path):
    split = {"by_series": {"val": 0.1, "test": 0.1}}
    generator = small(judging_steps=2).fit(world(80), id="sequence", time="step", split=split)
    both = generator.scores(measures=["correlational", "nearest"])
    assert (
        generator.score(measures=["correlational", "nearest"])
        == generator.scores(None, split, ("test",), [*both["test"].values])["test"]
    )
    assert [*generator.score(part="val").values] == ["discriminative", "context_fid"]
    assert generator.score(part="val", measures="nearest").nearest == both["val"].nearest
    with pytest.raises(InputError, match="unknown part 'tset': did you mean 'test'"):
        generator.score(part="tset")
    with pytest.raises(
        InputError, match="holds no sequence of 8 rows in the part 'test' of the split that fit got; pass"
    ):
        generator.score(world(1, 4), measures="correlational")
    with pytest.raises(InputError, match="10 real and 10 made sequences are too few to judge by"):
        generator.score(world(12), measures="correlational")
    generator.save(tmp_path / "made")
    again = Generator.load(tmp_path / "made")
    with pytest.raises(InputError, match="a loaded Generator holds no data; pass the rows"):
        again.score()
    assert again.score(world(80), split=split, measures="nearest") == generator.score(measures="nearest")


def test_a_part_is_the_critics_and_what_nearest_holds_out():
    split = {"by_series": {"val": 0.1, "test": 0.1}}
    generator = small(judging_steps=2).fit(world(80), id="sequence", time="step", split=split)
    words = ["correlational", "nearest"]
    val, test, train = (generator.score(part=part, measures=words) for part in ("val", "test", "train"))
    assert test.correlational == train.correlational  # of the same sequences, by as many critics
    assert len({val.nearest, test.nearest, train.nearest}) == 3
    assert val.by_lead["correlational"][0, 0] == 0 < test.by_lead["correlational"][0, 0]  # spread over one, over five
    first = generator.scores(None, split, ("test", "val"), words)
    assert (first["test"], first["val"].nearest == val.nearest) == (
        test,
        False,
    )  # seed 0 is the first's, 1 the second's


def test_a_part_without_a_sequence_is_refused_before_any_critic_learns(monkeypatch):
    generator = small().fit(world(), id="sequence", time="step")
    monkeypatch.setattr(generator, "draw", lambda *_, **__: pytest.fail("drawn"))
    for part in ("val", "test"):
        with pytest.raises(
            InputError, match=f"in the part '{part}', for fit got no split= that makes one; fit with a split="
        ):
            generator.score(part=part)
    with pytest.raises(InputError, match="unknown measure 'nearst': did you mean 'nearest'"):
        generator.score(measures="nearst")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"input_size": 1}, "input_size must be a whole number of steps, at least 2, not 1"),
        ({"input_size": 2.5}, "input_size must be a whole number of steps, at least 2, not 2.5"),
        ({"judging_steps": 0}, "judging_steps must be a whole number of at least 1, or None, not 0"),
        ({"steps": 0}, "steps of model 'rtsgan' must be at least 1, not 0"),
        ({"stepps": 5}, "unknown option of model 'rtsgan' 'stepps': did you mean 'steps'"),
    ],
)
def test_options_that_cannot_be_are_refused(options, said):
    with pytest.raises(InputError, match=said):
        Generator("rtsgan", **options).configs()


def test_what_cannot_be_made_is_one_sentence(fitted):
    with pytest.raises(InputError, match="n must be a whole number from 1, not 0"):
        fitted.sample(0)
    with pytest.raises(InputError, match=r"seed must be a whole number from 0, below 2\^63, not 118059162"):
        fitted.draw(1, seed=2**70)
    with pytest.raises(InputError, match="seed must be a whole number from 0, not -1"):
        fitted.sample(3, seed=-1)
    with pytest.raises(InputError, match="this Generator is not fitted"):
        Generator().sample()
    with pytest.raises(InputError, match="a column is called 'step', as one of what `sample` gives is"):
        small().fit(world().rename({"step": "at", "x1": "step"}), id="sequence", time="at", target=["step"])
    with pytest.raises(InputError, match="cannot read x2; leave it out"):
        small().fit(world(), id="sequence", time="step", target="x1", past_covariates="x2")


class Stranger(Model):
    tasks = frozenset({"generate"})

    def forward(self, batch):
        return batch.past[..., None]


def test_a_model_that_makes_nothing_is_refused():
    with pytest.raises(
        InputError, match=r"model Stranger makes no sequences; derive it from tsrnn\.models\.Generative"
    ):
        Generator(Stranger, input_size=8).fit(world(), id="sequence", time="step")


class Stepping(Generative):
    """Counts the steps of two phases; `at` calls something in the fifth of the first."""

    taken: list[int]
    at = staticmethod(lambda: 0.5)

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, batch):
        return batch.past[..., None]

    def sequences(self, count, generator):
        return torch.zeros(count, self.spec.input_size, self.spec.targets)

    def phases(self, lesson, rate):
        type(self).taken = [0, 0]
        return [
            Phase("first", lesson.steps(70), lambda: self.step(0), 0.5),
            Phase("second", 4, lambda: self.step(1), 0.5),
        ]

    def step(self, phase):
        self.taken[phase] += 1
        return self.at() if self.taken[0] == 5 and not self.taken[1] else 0.5


class TestPhases:
    def fit(self, monkeypatch, at=None, **options):
        monkeypatch.setattr(Stepping, "at", staticmethod(at or (lambda: 0.5)))
        generator = Generator(Stepping, input_size=8, progress=False, **options)
        return generator.fit(world(), id="sequence", time="step")

    def test_each_has_its_steps_however_few_epochs_are_usual(self, monkeypatch):
        report = self.fit(monkeypatch, batch_size=60).report_
        assert Stepping.taken == [70, 4]
        assert report.epochs == 74
        assert [train for train, _ in report.losses] == [0.5, 0.5]

    def test_epochs_bound_them(self, monkeypatch):
        self.fit(monkeypatch, max_epochs=2, batch_size=30)
        assert Stepping.taken == [4, 4]

    def test_steps_bound_them(self, monkeypatch):
        self.fit(monkeypatch, max_steps=9, batch_size=30)
        assert Stepping.taken == [9, 4]

    def test_a_loss_that_is_no_number_is_told_with_its_phase(self, monkeypatch):
        with pytest.raises(
            InputError, match="the loss of the first stopped being a number in step 4; lower learning_rat"
        ):
            self.fit(monkeypatch, lambda: float("nan"))

    def test_ctrl_c_ends_the_training_at_once(self, monkeypatch):
        def stop():
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self.fit(monkeypatch, stop)
        assert Stepping.taken == [5, 0]

    def test_minutes_are_shared_and_every_phase_gets_its_turn(self, monkeypatch):
        clock = iter(range(1000))
        monkeypatch.setattr(time, "monotonic", lambda: next(clock))
        phases = [Phase("a", 30, float, 0.25), Phase("b", 30, float, 0.75), Phase("c", 30, float, 0.0)]
        turns = [place for place, _ in Turns(phases, 20 / 60)]
        assert (turns.count(0), turns.count(1), turns.count(2)) == (6, 15, 1)
        assert len([*Turns(phases, None)]) == 90


def test_phases_are_tried_on_the_device_that_is_asked_and_models_come_back():
    generator = small(accelerator="cpu").fit(world(20), id="sequence", time="step")
    assert generator.report_.device == "cpu"
    assert next(generator.model_.parameters()).device.type == "cpu"
    assert not generator.model_.training
    assert fit.phased.PhasedModule(generator.model_, [], None).configure_optimizers() is None


def test_every_generator_is_built_of_any_cell():
    for name in MODELS:
        config = models.configure(name, {**SMALL[name], "cell": "lstm"})
        assert config.cell == "lstm"
        Generator(name, input_size=8, **{**SMALL[name], "cell": "lstm", "progress": False}).fit(
            world(20), id="sequence", time="step"
        )


def test_the_command_line_fits_and_samples(run, tmp_path):
    world(30).write_csv(tmp_path / "mine.csv")
    words = [f"{name}={value}" for name, value in SMALL["rtsgan"].items()]
    settings = [word for each in words for word in ("--set", each)]
    shape = ("--input-size", "8", "--id", "sequence", "--time", "step")
    asked = ("--task", "generate", "--model", "rtsgan", *shape, *settings)
    assert run("fit", "mine.csv", "--out", "saved", *asked)[0] == 0
    status, out, said = run("sample", "saved", "--count", "3", "--seed", "2")
    assert (status, said) == (0, "")
    made = pl.read_csv(out.encode())
    assert made.columns == ["sequence", "step", "x1", "x2"]
    assert made.height == 24
    status, _, said = run("predict", "saved", "mine.csv")
    assert (status, "saved makes sequences of noise and reads no file; run `tsrnn sample saved`" in said) == (2, True)
    status, _, said = run("sample", "mine.csv")
    assert status == 2


def test_a_channel_that_was_never_measured_is_refused():
    frame = transformer(rows=100).select("date", "OT", HUFL=pl.lit(None, pl.Float64))
    with pytest.raises(InputError, match="'HUFL' is empty; drop it or leave it out of the targets"):
        Generator("rtsgan", input_size=12).fit(frame)
