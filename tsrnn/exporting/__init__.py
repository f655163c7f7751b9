"""A fitted forecaster for other programs: ONNX graphs, a JSON that describes them, and numbers that numpy can read.

The folder holds `forecast.onnx` (a window in), `step.onnx` (a row and a state in, of models that carry one),
`config.json` (what goes in and comes out: names, shapes, units; the scaler; checksums) and `weights.safetensors`
(`tsrnn.stepper` reads them without torch). `graphs` says what is inside the graphs, `described` what is said of them.
"""

import hashlib
import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tsrnn import progress, stepper, store
from tsrnn.errors import InputError
from tsrnn.exporting import described
from tsrnn.exporting.graphs import Scaled, Step, Window, example, traced
from tsrnn.heads import Head
from tsrnn.models import Model
from tsrnn.prepare import Preparation


def write(
    folder: str | Path,
    model: Model,
    head: Head,
    prepared: Preparation,
    levels: list[float],
    words: Mapping[str, Any],
) -> list[str]:
    """Write the graphs and what describes them; the names of the files.

    Args:
        words: of the forecaster: `name` of the model, `fingerprint`, `pad`.

    Raises:
        InputError: the model has no graph, the packages of the extra `export` are not there, or the folder holds
            something else.
    """
    name = str(words["name"])
    if not model.one_graph:
        raise InputError(
            f"model {name!r} has no graph that could be exported: its forward goes by how many windows there are; "
            "export another model, or stream this one"
        )
    if "holes" in prepared.reading:
        raise InputError(
            f"this {name!r} reads which cells were measured, since its training had holes, and graphs do not; fit it "
            "with masks=False to export it, or stream this one"
        )
    kinds: dict[str, type[Scaled]] = {"forecast.onnx": Window} | ({"step.onnx": Step} if model.carries else {})
    beside, entries = {}, {}
    for file, kind in kinds.items():
        graph = kind(model, head, prepared, levels)
        inputs = example(graph, prepared, bool(words["pad"]))
        outputs = described.outputs(graph)
        entry = described.entry(graph, inputs, outputs)
        beside[file] = onnx_of(graph, inputs, entry, name)
        entries[file] = entry | {"sha256": hashlib.sha256(beside[file]).hexdigest()}
    tensors = {f"model.{key}": each for key, each in model.weights().items()} | prepared.tensors()
    tensors |= described.first_states(model) if model.carries else {}
    config = described.config(model, prepared, levels, words) | {"graphs": entries}
    config["numpy"] = model.carries and stepper.readable(name, config["options"], config["spec"])
    store.write(folder, config, {key: np.asarray(each) for key, each in tensors.items()}, beside)
    return [*beside, "config.json", "weights.safetensors"]


def onnx_of(graph: Scaled, inputs: dict[str, Any], entry: Mapping[str, Any], name: str) -> bytes:
    """The graph in ONNX, its inputs and outputs called as in its `entry`.

    Raises:
        InputError: the model has no graph, or the packages of the extra `export` are not there.
    """
    try:
        import onnx  # noqa: F401  torch asks for both, and says so in many lines
        import onnxscript  # noqa: F401
    except ImportError as missing:
        raise InputError(
            f"{missing.name} is not installed, which export needs; run pip install 'tsrnn[export]'"
        ) from None
    program = traced(graph, inputs, name)
    going, coming = ([each["name"] for each in entry[side]] for side in ("inputs", "outputs"))
    with _quiet(), torch.no_grad():
        try:
            made = torch.onnx.export(program, dynamo=True, verbose=False, input_names=going, output_names=coming)
        except torch.onnx.OnnxExporterError:
            raise InputError(
                f"part of this {name!r} has no counterpart in ONNX, as quantiles of a mixture have none; fit with "
                "another loss to export, or stream this one"
            ) from None
    assert made is not None  # as `dynamo` promises
    content: bytes = made.model_proto.SerializeToString()
    return content


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter's progress and hints, silenced for as long as it runs."""
    with (
        progress.silenced("torch.onnx", "onnxscript", "onnx_ir"),
        warnings.catch_warnings(),
        redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield
