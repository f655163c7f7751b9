"""A fitted forecaster at work, night after night: a stream of new rows, further training, other programs."""

from pathlib import Path
from typing import Any

from tsrnn import exporting, models, streaming
from tsrnn.saving import Saved
from tsrnn.streaming import Stream


class Operated(Saved):
    """A face that is kept running."""

    def warm_up(self, frame: Any = None, *, carry: bool = False) -> Stream:
        """The state of a stream at the end of a history, from which `step` goes on.

        Args:
            frame: the history, as of `predict`; by default what `fit` got.
            carry: carry the hidden state instead of the last `input_size` rows: a step then costs one step of the
                recurrence and remembers all of the history, where training saw `input_size` rows at a time. For `rnn`,
                `lstm`, `gru` and `seq2seq` with `centring="none"`, `segment=1` (and no attention) alone.
        """
        panel = self._panel(frame)
        return streaming.warm_up(panel, self.preparation_, self.model_, carry)

    def step(self, rows: Any, state: Stream, *, future: Any = None) -> tuple[Any, Stream]:
        """One new row of each series (or of some) in, their forecasts and the next state out.

        The forecast is what `predict` gives on the history grown by these rows, and follows the newest of them also in
        an outage, where `predict` goes back to the last measurement; with a carried state it is what the same weights
        give with a look-back as long as the history. A series that training did not know keeps the scaling that it had
        at the warm-up.

        Args:
            rows: a frame, one row per series, each one step after its series' newest; an empty cell is a missing one.
                Or an array [series channel] of `state.ids`: targets, then past covariates, NaN where missing.
            state: what `warm_up` or the step before gave; it stays as it is.
            future: covariates known ahead of the next `horizon` steps, as of `predict`.

        Returns:
            The forecast in the type of `rows` (of an array [series horizon column]: each target, then its quantiles),
            and the next state.

        Raises:
            InputError: a row is of an unknown series, twice there, or not one step on; the state is another model's.
        """
        self._check_fitted()
        parts = (self.preparation_, self.model_, self.head_, self._levels)
        return streaming.step(rows, state, *parts, future)

    def save_state(self, state: Stream, folder: str | Path) -> None:
        """Write a stream's state, its newest rows in numbers among it, into a folder of its own beside the model's.

        Raises:
            InputError: the folder cannot be written, or holds something else.
        """
        streaming.save(state, folder)

    def resume(self, folder: str | Path) -> Stream:
        """The state that `save_state` wrote, for `step`.

        Raises:
            InputError: it is no state, is damaged, or is another model's.
        """
        self._check_fitted()
        return streaming.resume(folder, self.model_, self.preparation_)

    def export(self, folder: str | Path) -> list[str]:
        """Write ONNX graphs for other programs into `folder`, and a config.json that says what goes in and comes out.

        `forecast.onnx` takes windows; where the model can carry its state (see `warm_up`), `step.onnx` takes a row and
        the state. Scaling is inside: numbers are in the data's units on both sides. Needs the extra `export`.

        Returns:
            The names of the files.

        Raises:
            InputError: the model has no graph, a package is missing, or the folder holds something else.
        """
        self._check_fitted()
        mark = streaming.fingerprint(self.model_, self.preparation_)
        words = {"name": models.find(self.model).name, "fingerprint": mark, "pad": self.pad}
        return exporting.write(folder, self.model_, self.head_, self.preparation_, self._levels, words)
