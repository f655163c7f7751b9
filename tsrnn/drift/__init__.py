"""Has the world moved away from what a model was trained on?

Built in this order: innovations, evidence, errors, streams, reference, report, look.

Every column, and the errors of forecasts whose truth has come, is a stream. At the fit a small reference is learnt of
each: what is new in a row once season, memory and changing spread are taken out, and where such innovations lie. Later
rows get their places among them, and three bets are laid on those: that the mean moved, the variance, the shape (for
errors one: that they grew). Evidence is averaged over all of them and looked at row by row, as often as one likes.

What holds: where later rows are exchangeable with the reference's after this whitening, the chance that *ever* an
alarm comes, in all nights together that look at all rows since the fit, is alpha at most (Ville's inequality). The
whitening is estimated, so this is exact for no real column, and was measured (`benchmarks/drift.py`). A run that is
shown the last week alone starts anew: then alpha holds for each run, not for all of them.
"""

from tsrnn.drift import errors as errors
from tsrnn.drift import streams as streams
from tsrnn.drift.look import look as look
from tsrnn.drift.look import since as since
from tsrnn.drift.reference import Reference as Reference
from tsrnn.drift.reference import learn as learn
from tsrnn.drift.reference import truths as truths
from tsrnn.drift.report import Drift as Drift
