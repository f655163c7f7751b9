"""Sweeps: a model's declared ranges, tried out and scored on validation. The only room that imports Optuna.

    asked      what a sweep tries: ranges, what is fixed, where it begins, its objectives
    methods    samplers and pruners by name
    storage    where it lives: a SQLite file, a PostgreSQL server; patience: calls that wait for a server; turns
    study      a study of several processes: which trial comes next, and which died
    fitted     one trial
    together   trials side by side: worker processes, a cluster
    running    trial after trial, until there are enough
    results    what was found
    face       `tsrnn.sweep`
    dashboard  a study in a browser

The test part is never read here. A sweep goes on where it stopped, and survives trials that fail, processes that die
and servers that restart. Any number of processes, on any number of machines, may work on one.
"""

from tsrnn.tune.asked import Sweep as Sweep
from tsrnn.tune.asked import ranges as ranges
from tsrnn.tune.dashboard import dashboard as dashboard
from tsrnn.tune.face import Swept as Swept
from tsrnn.tune.face import sweep as sweep
from tsrnn.tune.fitted import suggest as suggest
from tsrnn.tune.results import best as best
from tsrnn.tune.results import front as front
from tsrnn.tune.results import importances as importances
from tsrnn.tune.results import parameters as parameters
from tsrnn.tune.results import trials as trials
from tsrnn.tune.running import run as run
from tsrnn.tune.storage import sqlite as sqlite
