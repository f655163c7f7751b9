# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Weather
# From a station's file with holes to a table of skill: -9999 where an instrument was out, a time that stands twice,
# times that are missing. The year at Jena is taken where it is found (`tsrnn datasets` says whose it is); else a
# simulated station, with the same faults put in.

# %%
from pathlib import Path

import polars as pl

from tsrnn import Forecaster, catalog, load, plot, simulate, verify

COLUMNS = {"T (degC)": "temperature", "p (mbar)": "pressure", "Tdew (degC)": "dew_point", "wv (m/s)": "wind_speed"}
path = catalog.find(catalog.row("weather"))
if path is None:
    path, row = Path("station.csv"), pl.int_range(pl.len())
    world = simulate.station(rows=52_560).rename({new: old for old, new in COLUMNS.items()})
    world = world.with_columns(pl.when(row % 9973 == 7).then(-9999.0).otherwise("wv (m/s)").alias("wv (m/s)"))
    world = pl.concat([world[:20_000], world[19_999:30_000], world[30_100:]])
    world.write_csv(path)

# %% [markdown]
# ## A file with holes
# What stands for a missing value is said, not guessed: a -9999 that nobody declares would stretch the scale by which
# the model reads the wind thirty times. The readings of ten minutes become hourly means.

# %%
panel = load(path, target=list(COLUMNS), missing=[-9999], duplicates="first", resample="1h")
for note in panel.notes:
    print(f"{note.column}: {note.count} {note.what}")
print(panel.frame.select(*COLUMNS).describe())

# %%
picture = plot.columns(panel, "year.png")

# %% [markdown]
# ## What is there to beat?
# The last value knows nothing of the hour. The reference of the weather services is damped anomaly persistence: what
# the same hour was like over the last 30 days, and a part of today's departure from it that fades with the lead. What
# does not beat it has learnt nothing. The first 70 % of the year train, the next 10 % say when to stop, the last 20 %
# are the test: one autumn, and nothing follows from it for the rest of the year. `residual` is least squares and a
# recurrent network for what the line leaves.

# %%
frame = panel.frame.select("date", "T (degC)")
split = {"ratios": [0.7, 0.1, 0.2]}
models = {
    "damped": Forecaster("damped", input_size=30 * 24, horizon=24),
    "last value": Forecaster("repeat_last", input_size=24, horizon=24),
    "least squares": Forecaster("ols", input_size=72, horizon=24),
    "residual": Forecaster("residual", input_size=72, horizon=24, loss="mse", max_epochs=10),
}
said = []
for name, model in models.items():
    model.fit(frame, split=split)
    table = model.forecasts(frame, part="test", split=split)
    said.append(table.with_columns(model=pl.lit(name)))
table = pl.concat(said)

# %% [markdown]
# ## Skill
# The share of the reference's squared error that a model does without, by hours ahead: 0 is no better than damped
# persistence, below 0 is worse. Every hour of the test is forecast from; errors are in degrees.

# %%
errors = verify.measured(table, by=["model", "lead"], measures=["mse", "rmse"]).filter(
    pl.col("lead").is_in([1, 6, 12, 24])
)
reference = errors.filter(model="damped").select("lead", reference="mse")
skill = errors.join(reference, on="lead").with_columns(skill=(1 - pl.col("mse") / pl.col("reference")).round(2))
print(errors.with_columns(pl.col("rmse").round(2)).pivot(on="model", index="lead", values="rmse"))
print(skill.pivot(on="model", index="lead", values="skill"))

# %% [markdown]
# ## A look at some days
# Four cutoffs a day apart, and what came. A table of numbers hides which weather a model misses.

# %%
days = table.filter(pl.col("model").is_in(["damped", "residual"])).filter(pl.col("cutoff").dt.hour() == 6)
picture = plot.forecast(days, panel, "days.png", cutoffs=4)
