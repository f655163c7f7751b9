"""What the newest value is, before it is measured: of each row, from what is beside it and behind."""

from dataclasses import replace

import numpy as np
import torch

from tsrnn import labels, marks, split, tasks, windows
from tsrnn.labelled import Labelled
from tsrnn.panel import Panel


class Nowcaster(Labelled):
    kind, task = "nowcaster", tasks.find("newest")
    scaler, scale_per_series, calendar, masks = "standard", False, False, False
    class_weights = penalty = None

    def __init__(self, model="ends", *, input_size=12, loss="mse", val_size=0.1, **options):
        self.model = model
        self.input_size = input_size
        self.loss = loss
        self.val_size = val_size
        self.options = options

    def fit(self, frame, *, split=None, on_epoch=None, **roles):
        self.classes_ = None
        return self._learn(Panel.of(frame, **roles), split, on_epoch)

    def predict(self, frame):
        unlabelled, origin = labels.without(frame, self.preparation_.reading["targets"][0])
        panel = replace(self.preparation_.read(unlabelled), origin=origin)
        return panel.native(labels.values(panel, self._told_of(self.preparation_.lay(panel))[:, None]))

    def scores(self, frame=None, split="standard", parts=("val", "test"), measures=None):
        panel = self.panel_ if frame is None else self.preparation_.read(frame)
        laid = self.preparation_.lay(panel)
        cuts = self._parts(laid.arrays, panel, self.split_ if split == "standard" else split)
        told, scale = self._told_of(laid), self.preparation_.scaling_of(laid.arrays).scale[:, 0]
        asked = measures or self.task.measures
        return {name: marks.of_values(laid.arrays, cuts.part(name), told, scale, asked) for name in parts}

    @torch.inference_mode()
    def _told_of(self, laid):
        """A value of each row in its own unit: [row]."""
        arrays, size = laid.arrays, self.input_size
        cut = windows.Windows(laid, np.arange(arrays.rows), size, size, self.task)
        said = torch.cat([self.model_.eval()(batch)[:, 0, 0, 0] for batch in cut.batches(256)]).double().numpy()
        scaling = self.preparation_.scaling_of(arrays)
        return said * scaling.scale[0, 0] + scaling.loc[0, 0]

    def _parts(self, arrays, panel, wanted):
        if wanted is not None:
            return split.standard(arrays, wanted, panel.source)
        return split.tail(arrays, split.held_out(arrays.lengths, self.input_size, self.val_size))
