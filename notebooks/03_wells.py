# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Wells
# From a folder of LAS files to a gamma ray ahead of the bit: what is in the files, a forecast of a well that no model
# has seen, its error in gAPI by metres ahead, a picture, and the forecast as a LAS file. The wells of the FORCE 2020
# contest are taken where they are found (`tsrnn datasets` says whose they are and under which licence); else six
# simulated ones, with RHOB, NPHI and DTC missing over stretches.

# %%
import tempfile
from pathlib import Path

import polars as pl

from tsrnn import Forecaster, catalog, las_writer, load, plot, simulate, verify
from tsrnn.reading import Column

UNITS = {"depth": "m", "GR": "gAPI", "RHOB": "g/cm3", "NPHI": "v/v", "DTC": "us/ft", "RDEP": "ohm.m"}
folder = catalog.find(catalog.row("force2020"))
if folder is None:
    folder = Path(tempfile.mkdtemp())
    world = simulate.wells(seed=1, wells=6, rows=900).drop("facies")
    las_writer.write(world, folder, columns={name: Column(unit) for name, unit in UNITS.items()})
files = sorted(folder.glob("*.las"))[:6]
print([path.name for path in files])

# %% [markdown]
# ## What is in the files?
# One well per file, one row per depth. Curves that a well lacks are null throughout, and the last rows of many wells
# have no gamma ray: tools of one string end at different depths.

# %%
CURVES = ["GR", "RHOB", "NPHI", "DTC"]
panel = load(files, target="GR", past_covariates=CURVES[1:])
measured = [pl.col(name).is_not_null().mean().round(2) for name in CURVES]
print(panel.frame.group_by("well", maintain_order=True).agg(pl.len(), *measured))
print(f"one step is {panel.step.unit:.4g} m")

# %% [markdown]
# ## A well that nobody has seen
# Rows of one well are alike, so a random split of rows flatters any model; the last well is left out of the training
# altogether, and the one before it says when to stop. Models look back 30 m and ahead 10 m. The forecasts to beat are
# the last value and least squares. A network alone is worse than the line near the bit, so `residual` keeps the line
# and lets a recurrent network learn what it leaves.

# %%
*seen, blind = panel.ids
logs = panel.frame.select("well", "depth", *CURVES)
train, test = logs.filter(pl.col("well") != blind), logs.filter(pl.col("well") == blind)
roles = {"target": "GR", "split": {"by_series": {"val": seen[-1:]}}}
task = {"input_size": 200, "horizon": 66}
models = {
    "last value": Forecaster("repeat_last", **task),
    "least squares": Forecaster("ols", **task),
    "residual": Forecaster("residual", **task, loss="mse", max_epochs=6, max_windows=4000),
}
for model in models.values():
    model.fit(train, **roles)

# %% [markdown]
# ## How good is it, metre by metre?
# `forecasts` says at every few rows of the blind well what each model, as it is, forecasts of the rows below, beside
# what came. Errors are in gAPI. One blind well is one draw: `tsrnn bench` leaves every well out in turn.

# %%
said = [model.forecasts(test, every=7).with_columns(model=pl.lit(name)) for name, model in models.items()]
errors = verify.measured(pl.concat(said), by=["model", "lead"], measures=["rmse"])
metres = (pl.col("lead") * panel.step.unit).round(2).alias("metres ahead")
errors = errors.filter(pl.col("lead").is_in([1, 7, 33, 66])).with_columns(metres, pl.col("rmse").round(2))
print(errors.pivot(on="model", index="metres ahead", values="rmse"))

# %% [markdown]
# ## Ahead of the bit
# The forecast starts below the last depth at which GR was measured. Depth grows downwards, curves stand on the scales
# that the trade draws them on, and a gap stays a gap. The interval is as wide as past errors ask for.

# %%
best = models["residual"].calibrate(levels=[0.8])
forecast = best.predict(test)
print(forecast.head(3))
whole = catalog.read(files[-1])
picture = plot.tracks(whole, "ahead.png", curves=CURVES, forecast=forecast)

# %% [markdown]
# ## Back into a LAS file
# Other programs read it: units, quantiles as curves, nulls and steps as the standard has them.

# %%
las_writer.write(forecast, "ahead.las", columns=whole.columns)
print("\n".join(Path("ahead.las").read_text(encoding="utf-8").splitlines()[:24]))
assert load("ahead.las", target="GR").frame["GR"].equals(forecast["GR"])
