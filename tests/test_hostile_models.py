"""Saved models from strangers: read back, or refused in one sentence, at no cost beyond the file's own size."""

import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from hostile import DEEP, VALUES, changed, config_of, header_of, packed, places, rewrite
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small import QUICK, covaried, long_frame, plans
from small_models import COVARIED, SPEC, batch_of, covaried_batch, made, small
from torch import nn

from tsrnn import cli, models, rebuild, store
from tsrnn.errors import InputError, Notice
from tsrnn.forecaster import Forecaster
from tsrnn.models import Model
from tsrnn.registry import names
from tsrnn.shapes import Spec

WIDE = Spec(48, 13, channels=2, targets=2, params=4, seasonality=8, levels=(0.1, 0.5, 0.9))
ROUNDS = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Saved models of several kinds: name -> folder, and the bytes of both files."""
    room, frame = tmp_path_factory.mktemp("saved"), long_frame()
    made_of = {
        "gru": Forecaster("gru", **QUICK, quantiles=[0.1, 0.9], pad=True, scale_per_series=True).fit(frame),
        "ensemble": Forecaster(
            "ensemble", input_size=24, horizon=6, max_epochs=1, members=[{"model": "ols"}, {"model": "nlinear"}]
        ).fit(frame),
        "naive": Forecaster("seasonal_naive", input_size=24, horizon=6).fit(frame),
        "covariates": Forecaster("seq2seq", **QUICK, segment=6, calendar=True).fit(
            covaried(), target="y", past_covariates=["wind"], future_covariates=["plan"], static_covariates=["height"]
        ),
    }
    for name, forecaster in made_of.items():
        forecaster.save(room / name)
    return {name: {path.name: path.read_bytes() for path in (room / name).iterdir()} for name in made_of}


@pytest.fixture
def copied(folders, tmp_path):
    """Lay a saved model into an empty folder."""

    def lay(name):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for file, content in folders[name].items():
            (folder / file).write_bytes(content)
        return folder

    return lay


def used(folder):
    """Load a model and forecast with it: the forecast, or the sentence that refuses it."""
    frame = covaried() if folder.name == "covariates" else long_frame()
    future = plans(frame) if folder.name == "covariates" else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Notice)
            return Forecaster.load(folder).predict(frame, future=future)
    except InputError as error:
        said = str(error)
        assert said.isprintable(), said
        assert len(said) < 2000, said
        return said


KINDS = ("gru", "ensemble", "naive", "covariates")


@pytest.mark.parametrize("name", KINDS)
def test_a_model_with_new_checksums_still_loads(copied, name):
    folder = copied(name)
    wanted = used(folder)
    assert not isinstance(wanted, str), wanted
    rewrite(folder)
    assert used(folder).equals(wanted)


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_any_value_of_the_configuration_may_be_any_other(copied, name):
    folder = copied(name)
    config = config_of(folder)
    refused = 0
    told = [place for place in places(config) if place[0] in ("card", "report")]  # many, and all read by one rule
    for place in [place for place in places(config) if place not in told[1::8] + told[2::8] + told[3::8] + told[4::8]]:
        for value in VALUES:
            (folder / "config.json").write_text(json.dumps(store.signed(changed(config, place, value))))
            refused += isinstance(used(folder), str)
    assert refused > 200


@ROUNDS
@given(data=st.data())
def test_many_values_at_once_may_be_others(folders, tmp_path_factory, data):
    name = data.draw(st.sampled_from(KINDS))
    folder = tmp_path_factory.getbasetemp() / name
    folder.mkdir(exist_ok=True)
    for file, content in folders[name].items():
        (folder / file).write_bytes(content)
    config = config_of(folder)
    values = st.one_of(
        st.sampled_from(VALUES),
        st.integers(),
        st.floats(),
        st.text(max_size=9),
        st.sampled_from(list(names("models"))),
    )
    for _ in range(data.draw(st.integers(1, 4))):
        config = changed(config, data.draw(st.sampled_from(list(places(config)))), data.draw(values))
    for key in data.draw(st.lists(st.sampled_from(list(config)), max_size=1)):
        del config[key]
    try:
        rewrite(folder, config)
    except KeyError:
        (folder / "config.json").write_text(json.dumps(config))
    used(folder)


@ROUNDS
@given(data=st.data())
def test_weights_may_be_cut_turned_or_longer(folders, tmp_path_factory, data):
    name = data.draw(st.sampled_from(KINDS))
    folder = tmp_path_factory.getbasetemp() / name
    folder.mkdir(exist_ok=True)
    for file, content in folders[name].items():
        (folder / file).write_bytes(content)
    weights = bytearray(folders[name]["weights.safetensors"])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, max(0, len(weights) - 1)))
        kind = data.draw(st.sampled_from(["cut", "flip", "add"]))
        if kind == "cut":
            del weights[at : at + data.draw(st.integers(1, 64))]
        elif kind == "flip" and weights:
            weights[at] ^= 1 << data.draw(st.integers(0, 7))
        else:
            weights[at:at] = data.draw(st.binary(max_size=32))
    rewrite(folder, weights=bytes(weights))
    used(folder)


def types(entry):
    """The same bytes under every type of the format that fits them."""
    begin, end = entry["data_offsets"]
    sizes = {"BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "F16": 2, "F64": 8, "I64": 8, "I32": 4, "U8": 1, "BOOL": 1, "X": 4}
    for word, size in sizes.items():
        if not (end - begin) % size:
            yield {**entry, "dtype": word, "shape": [(end - begin) // size]}


def shapes(entry):
    """The same numbers under other shapes."""
    shape = entry["shape"]
    yield from ({**entry, "shape": each} for each in ([], [1, *shape], [*shape, 1], [-1], [2**62, 4], ["1"], "x", None))
    if len(shape) > 1:
        yield {**entry, "shape": shape[::-1]}
    yield {**entry, "data_offsets": [entry["data_offsets"][1], entry["data_offsets"][0]]}
    yield {**entry, "data_offsets": [0.0, 1e30]}


@pytest.mark.parametrize("name", KINDS)
def test_a_tensor_of_another_type_or_shape_is_refused(copied, name):
    folder = copied(name)
    header, numbers = header_of((folder / "weights.safetensors").read_bytes())
    config = config_of(folder)
    for tensor, entry in header.items():
        if tensor == "__metadata__":
            continue
        for other in (*types(entry), *shapes(entry)):
            if other != entry:
                rewrite(folder, config, packed({**header, tensor: other}, numbers))
                said = used(folder)
                assert isinstance(said, str), (tensor, other)


@pytest.mark.parametrize("name", KINDS)
def test_a_missing_or_a_further_tensor_is_refused(copied, name):
    folder = copied(name)
    _, tensors = store.read(folder)
    config = config_of(folder)
    for left in tensors:
        store.write(folder, config, {key: each for key, each in tensors.items() if key != left})
        assert isinstance(used(folder), str), left
    for more in ("model.more", "scale", "more.loc", "known.loc2", ""):
        store.write(folder, config, {**tensors, more: np.ones((1, 1), np.float32)})
        assert isinstance(used(folder), str), more


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", KINDS)
def test_numbers_that_are_not_finite_are_neither_saved_nor_loaded(copied, name, number):
    folder = copied(name)
    _, tensors = store.read(folder)
    header, _ = header_of((folder / "weights.safetensors").read_bytes())
    config = config_of(folder)
    for key in tensors:
        spoilt = {other: each.copy() for other, each in tensors.items()}
        spoilt[key].flat[-1] = number
        with pytest.raises(InputError, match="not finite; fit the model again"):
            store.write(folder, config, spoilt)
        order = sorted(
            (each for each in header if each != "__metadata__"), key=lambda each: header[each]["data_offsets"]
        )
        rewrite(folder, config, packed(header, b"".join(spoilt[each].tobytes() for each in order)))
        assert "holds numbers that are not finite" in used(folder)


def test_a_scale_is_at_least_zero(copied):
    folder = copied("gru")
    _, tensors = store.read(folder)
    tensors["scale.scale"] = -tensors["scale.scale"]
    store.write(folder, config_of(folder), tensors)
    assert "scale.scale must be at least 0" in used(folder)


def test_a_changed_configuration_is_named_in_the_new_format_and_taken_in_the_old_one(copied):
    folder = copied("naive")
    config = config_of(folder)
    config["params"]["val_size"] = 0.3
    (folder / "config.json").write_text(json.dumps(config))
    assert "config.json was changed: its checksum is not the one saved; save the model again" in used(folder)
    config["format"] = 1
    del config["config_sha256"]
    (folder / "config.json").write_text(json.dumps(config))
    assert Forecaster.load(folder).val_size == 0.3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX systems")
@pytest.mark.parametrize("file", ["config.json", "weights.safetensors"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link to itself"])
def test_no_pipe_and_no_device_is_waited_for(copied, file, kind):
    folder = copied("naive")
    path = folder / file
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(path)
    said = used(folder)
    assert f"{path} cannot be read" in said
    assert "save the model again" in said


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"format": ' + "[" * 900 + "]" * 900 + "}", '{"a":' * 5000, "[0" + ",0" * 3_000_000]
)
def test_deep_or_endless_text_is_refused(copied, text):
    folder = copied("naive")
    (folder / "config.json").write_text(text)
    said = used(folder)
    assert "config.json" in said


TASK = {"input_size": 24, "horizon": 6}
COSTLY = {
    "hidden": {"params.hidden_size": 20_000},
    "layers": {"params.num_layers": 10**6},
    "endless layers": {"params.num_layers": 10**10},
    "horizon": {"params.horizon": 10**6, "spec.horizon": 10**6},
    "beyond": {"params.horizon": 10**15, "spec.horizon": 10**15},
    "look-back": {"params.input_size": 10**15, "spec.input_size": 10**15},
    "members": {"params": {"model": "ensemble", **TASK, "members": [{"model": "lstm"}] * 50_000}},
    "nested": {"params": {"model": "ensemble", **TASK, "members": [{"model": "ensemble"}] * 90}},
    "paths": {"params": {"model": "deepar", **TASK, "paths": 10**6}},
    "cycle": {"params": {"model": "cyclenet", **TASK, "cycle": 10**6}},
    "levels": {"params.quantiles": [k / 10**5 for k in range(1, 10**5)]},
    "deep": {"ids": DEEP},
}
WATCHED = """
import resource, sys
from tsrnn import Forecaster, InputError
import tsrnn.forecaster, torch
Forecaster.load(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for folder in sys.argv[2:]:
    try:
        Forecaster.load(folder)
    except InputError as error:
        print(error)
    else:
        sys.exit(folder + " was loaded")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="kilobytes of Linux")
def test_what_is_refused_costs_no_memory(copied, tmp_path):
    right = copied("gru")
    folders = []
    for name, changes in COSTLY.items():
        folder = tmp_path / name
        right.rename(folder)
        config = config_of(folder)
        for place, value in changes.items():
            config = changed(config, tuple(place.split(".")), value)
        rewrite(folder, config)
        folders.append(folder)
        right = copied("gru")
    sparse = tmp_path / "sparse"
    right.rename(sparse)
    os.truncate(sparse / "weights.safetensors", 1 << 40)
    right = copied("gru")
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(right), *map(str, folders), str(sparse)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    *said, kilobytes = done.stdout.splitlines()
    assert len(said) == len(COSTLY) + 1, said
    assert int(kilobytes) < 100_000, said


@pytest.mark.parametrize("placed", [[0, 0], [1, 0], [-1], [99], [0.5], [True], ["1"]])
def test_placed_features_are_some_of_the_known_ones(copied, placed):
    folder = copied("covariates")
    rewrite(folder, changed(config_of(folder), ("spec", "placed"), placed))
    assert "spec" in used(folder)


@pytest.mark.parametrize("spec", [SPEC, COVARIED, WIDE], ids=["plain", "covariates", "quantiles"])
@pytest.mark.parametrize("name", names("models"))
def test_every_model_can_be_outlined_and_comes_back_the_same(name, spec):
    first = made(name, spec, seed=1)
    kinds = {key: (rebuild._WORDS[each.dtype], tuple(each.shape)) for key, each in first.state_dict().items()}
    state = torch.get_rng_state()
    outline = rebuild._outline(name, first.config, spec, len(kinds))
    assert outline is not None
    assert all(each.is_meta for each in outline.parameters())
    again = rebuild.build(name, first.config, spec, kinds).eval()
    again.set_weights(first.weights())
    batch = covaried_batch() if spec is COVARIED else batch_of(spec)
    batch.phase = torch.arange(4)
    with torch.no_grad():
        assert torch.equal(again(batch), first(batch))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", names("models"))
def test_every_option_of_a_size_is_bounded_by_what_was_saved(name):
    config = models.configure(name, small(name))
    kinds = {key: (rebuild._WORDS[each.dtype], tuple(each.shape)) for key, each in made(name).state_dict().items()}
    for option, value in vars(config).items():
        if isinstance(value, int) and not isinstance(value, bool):
            for size in (models.MOST, models.MOST + 1):
                try:
                    built = rebuild.build(name, models.configure(name, {**small(name), option: size}), SPEC, kinds)
                except (InputError, rebuild.Unfit):
                    continue
                assert {key: tuple(each.shape) for key, each in built.state_dict().items()} == {
                    key: shape for key, (_, shape) in kinds.items()
                }, option


class Measured(Model):
    """A constructor that reads numbers, so that it cannot run without them."""

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.linear = nn.Linear(spec.input_size, spec.horizon)
        self.first = self.linear.weight[0, 0].item()

    def forward(self, batch):
        return self.linear(batch.past[..., 0])[..., None, None]


def test_a_constructor_that_needs_numbers_is_bounded_too():
    kinds = {"linear.weight": ("F32", (13, 48)), "linear.bias": ("F32", (13,))}
    assert rebuild._outline(Measured, Measured.Config(), SPEC, 2) is None
    assert isinstance(rebuild.build(Measured, Measured.Config(), SPEC, kinds), Measured)
    large = Spec(20_000, 20_000, 1, 1)
    with pytest.raises(rebuild.Unfit, match="more parameters than were saved"):
        rebuild.build(Measured, Measured.Config(), large, kinds)


def test_a_long_configuration_holds_no_more_than_its_weights_can_need(copied):
    folder = copied("gru")
    header, numbers = header_of((folder / "weights.safetensors").read_bytes())
    more = {"dtype": "U8", "shape": [1 << 20], "data_offsets": [len(numbers), len(numbers) + (1 << 20)]}
    config = {**config_of(folder), "a": [[]] * 1_500_000}
    rewrite(folder, config, packed({**header, "more": more}, numbers + b"x" * (1 << 20)))
    assert "it holds more values than so few weights can need" in used(folder)


def test_the_command_line_refuses_in_one_sentence(copied, monkeypatch, capsys, tmp_path):
    long_frame().write_csv(tmp_path / "long.csv")
    folder = copied("gru")
    rewrite(folder, changed(config_of(folder), ("params", "hidden_size"), 20_000))
    monkeypatch.setattr(sys, "argv", ["tsrnn", "predict", str(folder), str(tmp_path / "long.csv")])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "weight 'head.bias' is" in said.err or "weight 'head.weight' is" in said.err
