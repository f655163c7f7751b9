"""One bar, where somebody looks on."""

import multiprocessing
import subprocess
import sys
import threading

import numpy as np
import polars as pl
import pytest

from tsrnn import Forecaster, progress

SMALL = {"input_size": 12, "horizon": 3, "hidden_size": 4, "max_epochs": 2}


@pytest.fixture
def frame():
    hour = np.arange(160)
    return pl.DataFrame({"step": hour, "y": np.sin(hour / 3)})


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("CI", raising=False)


@pytest.fixture
def drawn(monkeypatch):
    """The jobs whose bars were drawn."""
    jobs, made = [], progress._drawn

    def draw(job, steps, began):
        jobs.append((job, steps))
        return made(job, steps, began)

    monkeypatch.setattr(progress, "_drawn", draw)
    return jobs


def test_a_terminal_is_watched_and_a_pipe_is_not(terminal, monkeypatch):
    assert progress.watched()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    assert not progress.watched()


def test_nobody_looks_on_under_ci_in_a_thread_or_in_a_worker(terminal, monkeypatch):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(progress.watched()))
    thread.start()
    thread.join()
    assert answers == [False]
    with monkeypatch.context() as worker:
        worker.setattr(multiprocessing, "parent_process", lambda: "somebody")
        assert not progress.watched()
    monkeypatch.setenv("CI", "true")
    assert not progress.watched()


def test_a_notebook_is_watched(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    shell = type("ZMQInteractiveShell", (), {})()
    monkeypatch.setitem(sys.modules, "IPython", type("IPython", (), {"get_ipython": staticmethod(lambda: shell)}))
    assert progress.watched()


def test_a_short_job_shows_nothing_and_a_long_one_a_bar(terminal, drawn, monkeypatch, capsys):
    monkeypatch.setattr(progress, "watched", lambda: True)
    assert list(progress.track([1, 2], "short")) == [1, 2]
    assert not drawn
    monkeypatch.setattr(progress, "DELAY", 0.0)
    list(progress.track([1, 2], "long"))
    assert drawn == [("long", 2)]
    assert "left at most" in capsys.readouterr().err


def test_a_fit_has_one_bar_and_a_backtest_has_one_for_all_its_fits(frame, drawn):
    forecaster = Forecaster("gru", progress=True, **SMALL).fit(frame, time="step")
    assert len(drawn) == 1
    drawn.clear()
    forecaster.backtest(windows=3, refit=True)
    assert drawn == [("backtest", 3)]
    drawn.clear()
    with progress.hidden():
        forecaster.fit(frame, time="step")
    assert not drawn


def test_false_shows_nothing_on_a_terminal(terminal, frame, drawn, monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0.0)
    Forecaster("gru", progress=False, **SMALL).fit(frame, time="step")
    assert not drawn


def test_the_bar_is_taken_away_when_a_job_fails(drawn):
    def fail():
        with progress.bar("job", 2, True) as shown:
            shown.advance()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert drawn == [("job", 2)]
    with progress.bar("next", 1, True) as shown:
        assert shown.visible


def test_a_bar_starts_no_thread_and_is_imported_when_drawn():
    code = (
        "import sys, threading; from tsrnn import progress; assert 'tqdm' not in sys.modules\n"
        "with progress.bar('job', 2, True) as shown: shown.advance(); print(threading.active_count())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "1", done.stderr


def test_forecasts_of_every_row_have_one_bar(frame, drawn):
    forecaster = Forecaster("gru", progress=True, **SMALL).fit(frame, time="step")
    drawn.clear()
    whole = forecaster.forecasts(frame)
    assert drawn == [("forecasts", whole["cutoff"].n_unique())]
    drawn.clear()
    assert sum(len(part) for part in forecaster.forecasts(frame, chunk=50)) == len(whole)
    assert not drawn  # what runs between the parts is the caller's own
