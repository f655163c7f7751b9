"""Well logs: what a LAS file says and means, and several wells as one table.

sections (a file's text, cut at its ~ lines) -> header (curves, units, NULL) -> rows, mends (cells, however they were
written) -> cells (numbers, and what was none), clock (an index of times of day) -> well (one table per well) -> field
(several wells). Readers of logs put these together; nothing is dropped here without a `Note`.
Standard: Canadian Well Logging Society, LAS version 2.0 (2017 update).
"""
