"""The program at its terminal: signals at any moment, output that is closed, full, cut off or narrow."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tsrnn import terminal

posix = pytest.mark.skipif(os.name != "posix", reason="signals and shells of POSIX systems")
full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full device")
TSRNN = f"{sys.executable} -m tsrnn.cli"

ATTACHED = """
import sys
from tsrnn import terminal
with terminal.attached():
    {}
"""


def shell(line: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, env={**os.environ, **environment})


def attached(code: str, output: str) -> "subprocess.CompletedProcess[str]":
    """A program with its output sent somewhere by a shell."""
    return shell(f'"$PYTHON" -c "$CODE" {output}', PYTHON=sys.executable, CODE=ATTACHED.format(code))


@posix
@full
@pytest.mark.parametrize("code", ["print('x')", "print('x' * 100_000)", "print('x'); sys.exit(0)"])
@pytest.mark.parametrize(("output", "said"), [(">&-", "Bad file descriptor"), (">/dev/full", "No space left")])
def test_output_that_cannot_be_written_is_one_sentence(code: str, output: str, said: str) -> None:
    done = attached(code, output)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"tsrnn: cannot write to standard output: {said}")
    assert done.stderr.count("\n") == 1


@posix
def test_what_prints_nothing_needs_no_output(tmp_path: Path) -> None:
    done = attached(f"open({str(tmp_path / 'a')!r}, 'w').write('in its file'); print('said', file=sys.stderr)", ">&-")
    assert (done.returncode, done.stderr) == (0, "said\n")
    assert (tmp_path / "a").read_text() == "in its file"
    assert attached("print('x'); print('y', file=sys.stderr)", "2>&-").stdout == "x\n"
    assert attached("print(sys.stdin.read())", "<&-").stdout == "\n"


@posix
def test_a_reader_that_goes_is_no_error_worth_a_word() -> None:
    done = attached("[print(number) for number in range(1_000_000)]", "| head -1; exit ${PIPESTATUS[0]}")
    assert (done.returncode, done.stdout, done.stderr) == (1, "0\n", "")


@posix
def test_our_own_faults_are_shown_as_they_are() -> None:
    done = attached("open('/nowhere/x')", "")
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("No such file or directory: '/nowhere/x'")
    assert attached("raise OSError(5, 'a disk')", "").returncode == 1


@posix
@full
@pytest.mark.parametrize("words", ["--help", "datasets", "datasets --json"])
def test_commands_say_where_output_cannot_go(words: str) -> None:
    done = shell(f"{TSRNN} {words} > /dev/full")
    assert done.returncode == 2
    assert done.stderr.startswith("tsrnn: cannot write to standard output: No space left on device")
    assert done.stderr.count("\n") == 1


@posix
@pytest.mark.parametrize("columns", ["0", "5"])
def test_a_terminal_of_no_width_shows_what_is_there(columns: str) -> None:
    for words, shown in (("datasets", "weather"), ("--help", "leaderboard")):
        done = shell(f"{TSRNN} {words}", COLUMNS=columns)
        assert (done.returncode, done.stderr) == (0, "")
        assert shown in done.stdout


@posix
def test_tables_are_printed_where_the_terminal_knows_ascii_only() -> None:
    for words in ("datasets", "bench --help"):
        done = shell(f"{TSRNN} {words}", PYTHONIOENCODING="ascii", LC_ALL="C")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.isascii()


IMPORTING = """
import signal, sys
from tsrnn import terminal
sys.path.insert(0, sys.argv[1])
with terminal.attached():
    {}
    print("went on")
"""


@posix
@pytest.mark.parametrize("key", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize(
    ("code", "module"),
    [
        ("import slow", "import signal; signal.raise_signal(signal.SIGINT)"),
        ("import slow", "try:\n    import signal; signal.raise_signal(signal.SIGINT)\nexcept BaseException: pass"),
        ("import slow", "class A:\n    def __del__(self): import signal; signal.raise_signal(signal.SIGINT)\nA()"),
        ("signal.raise_signal(signal.SIGINT)", ""),
    ],
)
def test_signals_end_quietly_while_modules_are_imported_and_between(
    tmp_path: Path, code: str, module: str, key: str
) -> None:
    (tmp_path / "slow.py").write_text(module.replace("SIGINT", key))
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING.format(code.replace("SIGINT", key)), str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.Signals[key], "", "")


@posix
def test_a_signal_that_is_ignored_stays_so() -> None:
    code = "signal.raise_signal(signal.SIGINT); print('went on')"
    done = shell(
        'trap "" INT; "$PYTHON" -c "$CODE"', PYTHON=sys.executable, CODE="import signal" + ATTACHED.format(code)
    )
    assert (done.returncode, done.stdout) == (0, "went on\n")


@posix
def test_signals_are_given_back_and_named() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    for number in (signal.SIGINT, signal.SIGTERM):
        with pytest.raises(KeyboardInterrupt), terminal.stoppable() as signals:
            signal.raise_signal(number)
        assert terminal.status(signals) == 128 + number
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@posix
def test_a_signal_before_anybody_listens_ends_quietly() -> None:
    code = """
import sys
class Interrupted:
    def find_spec(name, path, target=None):
        if name == "tsrnn.terminal":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted)
import tsrnn.cli
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@posix
def test_names_pass_whatever_the_locale(tmp_path: Path) -> None:
    rows = "".join(f"2024-01-{day + 1:02},{day % 7}\n" for day in range(30))
    (tmp_path / "kühl.csv").write_text(f"date,Zürich\n{rows}", encoding="utf-8")
    asked = "--model ols --input-size 7 --horizon 2"
    line = f"cd {tmp_path} && {TSRNN} fit kühl.csv {asked} --target Zürich --out Zoë && {TSRNN} predict Zoë kühl.csv"
    done = shell(line, LC_ALL="C", PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("date,Zürich\n")
    assert (tmp_path / "Zoë" / "config.json").is_file()


@posix
def test_a_file_whose_name_is_no_text_has_rows_all_the_same() -> None:
    from tsrnn import suites

    assert suites.find(os.fsdecode(b"k\xfchl.csv")).name == "k\ufffdhl"
    assert suites.find(os.fsdecode("kühl.csv".encode())).name == "kühl"
