"""What is done where nothing was said: every default that follows the data, and those of a training.

The same for all data sets and all models. Whatever is said (an option of the Forecaster) stands in its place.

    segment    steps of a series that one recurrent step reads: the season, where the look-back holds several
    batch      windows of a training step, fewer where each holds many targets
    epochs     of so many steps on any data, few of them, stopped early; the weights that count are averaged ones
    loss       mean absolute error: a forecast is the middle of what may come, not its mean

benchmarks/README.md ("As it comes") says which were measured, on what, and which were not. A saved model keeps the
segment that it was made with; a change of any other rule here changes only what is trained from then on.
"""

import math

SEASONS = 4  # fewest whole seasons in a look-back that is read season by season
STEPS = 8  # fewest recurrent steps of one that is not
MOST = 32  # recurrent steps of one that holds very many seasons

ROWS = 512  # series of one target each in a training step, about
BATCHES = (16, 256)  # windows
PASSES = 16  # fewest batches that all windows are cut into, while they hold BATCHES[0]

EPOCH = 128  # training steps between two validations
EPOCHS, PATIENCE = 12, 3  # at most; without a better validation
VALIDATED = 2048  # windows
AVERAGING = 0.998
CHANNEL_DROPOUT = 0.1  # where a panel has holes and the model is told of them, else 0
LOSS = "mae"  # so that a forecast is a median


def segment(season: int, input_size: int) -> int:
    """Steps read at once from a look-back of `input_size`, in a series whose shortest season has `season` steps."""
    if SEASONS * season <= input_size:
        return season * math.ceil(input_size / (MOST * season))
    parts = [steps for steps in range(1, season + 1) if season % steps == 0 and STEPS * steps <= input_size]
    return max(parts, default=1)


def batch(windows: int, targets: int) -> int:
    """Windows of a training step, a power of two, where there are so many of so many targets each."""
    few, many = BATCHES
    rows, cut = math.log2(ROWS / targets), math.log2(max(1, windows / PASSES))
    return min(many, max(few, 1 << max(0, min(round(rows), int(cut)))))


def epoch(windows: int, batch_size: int) -> tuple[int, int]:
    """How many windows an epoch draws at most, and how often it goes through them, for about EPOCH steps."""
    steps = math.ceil(windows / batch_size)
    return EPOCH * batch_size, max(1, EPOCH // steps)
