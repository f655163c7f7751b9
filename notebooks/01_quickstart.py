# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Quickstart
# From a frame to a forecast, a check of how good it is, and a saved model. Everything here runs offline on a simulated
# transformer station: six electrical loads and the oil temperature `OT` that follows them, every hour.

# %%
import tempfile
from pathlib import Path

from tsrnn import Forecaster, load
from tsrnn.metrics import coverage, mae

panel = load("transformer")
frame = panel.frame.tail(4000)
print(frame.head(3))

# %% [markdown]
# ## Fit and predict
# `input_size` is how far the model looks back, `horizon` how far it looks ahead, both in steps. Without a split, the
# last tenth of the rows stops the training at the right moment. Any pandas, polars or pyarrow frame will do, and the
# forecast comes back as the same type.

# %%
task = {"input_size": 168, "horizon": 24}
forecaster = Forecaster("segrnn", **task, hidden_size=32, max_epochs=3).fit(frame, target="OT")
forecast = forecaster.predict()
print(forecast.head(3))

# %% [markdown]
# ## Is it any good?
# A backtest goes back to several cutoffs, trains on what was known before the first, and forecasts what followed each.
# The forecast to beat is the day before.

# %%
for name, options in {"seasonal_naive": {}, "segrnn": {"hidden_size": 32, "max_epochs": 3}}.items():
    scored = Forecaster(name, **task, **options).backtest(frame, target="OT", windows=5)
    print(f"{name}: mean absolute error {mae(scored['y'].to_numpy(), scored['forecast'].to_numpy()):.2f} degrees")

# %% [markdown]
# ## How sure is it?
# Quantiles are trained together; the columns are called after them. An 80 % interval should hold about 80 % of what
# came; a model that has seen three epochs is not there yet.

# %%
sure = Forecaster("gru", **task, segment=24, quantiles=[0.1, 0.5, 0.9], hidden_size=32, max_epochs=3)
scored = sure.backtest(frame, target="OT", windows=10)
held = coverage(scored["y"].to_numpy(), scored["q0.1"].to_numpy(), scored["q0.9"].to_numpy())
print(f"{held:.0%} of the truths are inside the 80 % interval")

# %% [markdown]
# ## Save and load
# A folder with the weights and one JSON file; no data in it, and nothing that is executed on loading.

# %%
with tempfile.TemporaryDirectory() as folder:
    forecaster.save(Path(folder) / "model")
    again = Forecaster.load(Path(folder) / "model")
    assert again.predict(frame).equals(forecast)
print(sorted(again.get_params()))
