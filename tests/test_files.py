"""One way to write a file: whole or not at all, whatever stands at its place."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import polars as pl
import pytest

from tsrnn import InputError, alive, files
from tsrnn.files import folder_replaced, replaced


def contents(folder):
    return sorted(each.name for each in folder.iterdir())


def test_a_file_is_written_whole_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "deep" / "down" / "a.txt"
    replaced(path, lambda file: file.write(b"one"))
    replaced(path, lambda file: file.write(b"two"))
    assert path.read_bytes() == b"two"
    assert contents(path.parent) == ["a.txt"]


def test_a_writer_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def half(file):
        file.write(b"ha")
        raise ValueError("our own fault")

    with pytest.raises(ValueError, match="our own fault"):
        replaced(path, half)
    assert path.read_bytes() == b"old"
    assert contents(tmp_path) == ["a.txt"]


def test_a_symbolic_link_stays_one_also_where_it_leads_nowhere_yet(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real.txt")
    replaced(link, lambda file: file.write(b"x"))
    assert link.is_symlink()
    assert (tmp_path / "real.txt").read_bytes() == b"x"


def test_the_file_keeps_its_mode(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    path.chmod(0o640)
    replaced(path, lambda file: file.write(b"new"))
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_pipe_is_written_to_and_stays(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    replaced(path, lambda file: file.write(b"through"))
    reader.join(10)
    assert read == [b"through"]
    assert path.is_fifo()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full device")
@pytest.mark.parametrize("write", ["write_csv", "write_parquet"])
def test_a_full_disk_is_one_sentence_also_where_polars_meets_it(write):
    frame = pl.DataFrame({"a": range(200_000)})
    with pytest.raises(InputError, match=r"^cannot write /dev/full: .*; choose another --out$"):
        replaced(Path("/dev/full"), getattr(frame, write))


def test_a_folder_in_its_place_is_one_sentence(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(InputError, match=r"cannot write .*directory; name another$"):
        replaced(tmp_path / "a", lambda file: file.write(b""), mend="name another")
    assert contents(tmp_path) == ["a"]


def test_a_file_where_a_folder_must_be_is_one_sentence(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(InputError, match="cannot write"):
        replaced(tmp_path / "a" / "b.txt", lambda file: file.write(b""))


def killed(code, *words):
    """The number of a process that ran `code` and killed itself."""
    process = subprocess.Popen([sys.executable, "-c", f"import os, signal\n{code}", *words])
    assert process.wait() == -signal.SIGKILL
    return process.pid


KILL = "os.kill(os.getpid(), signal.SIGKILL)"
WRITER = f"""
import sys
from pathlib import Path
from tsrnn.files import replaced
replaced(Path(sys.argv[1]), lambda file: {KILL})
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
def test_what_a_killed_writer_left_is_swept_by_the_next_one_of_that_name(tmp_path):
    path = tmp_path / "a[1].txt"
    path.write_bytes(b"old")
    dead = killed(WRITER, str(path))
    assert len(contents(tmp_path)) == 2
    assert path.read_bytes() == b"old"
    (tmp_path / f".a[1].txt.{dead}.new").mkdir()
    kept = {".b.txt.1.new", f".a[1].txt.{os.getpid()}.new", f".a[1].txt.{dead}.new.txt"}
    for name in kept:
        (tmp_path / name).touch()
    (tmp_path / f".b.txt.{dead}.new").touch()
    replaced(path, lambda file: file.write(b"new"))
    assert set(contents(tmp_path)) == {"a[1].txt", f".b.txt.{dead}.new", *kept}
    assert path.read_bytes() == b"new"


def test_two_threads_may_write_one_path(tmp_path):
    path, both = tmp_path / "a.txt", threading.Barrier(2)

    def write(letter):
        replaced(path, lambda file: (file.write(letter), both.wait(), file.write(letter)))

    threads = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in (b"aa", b"bb")
    assert contents(tmp_path) == ["a.txt"]


def test_a_folder_is_written_whole_where_a_link_leads(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "deep" / "real")
    folder_replaced(link, {"a": b"1", "b": b"2"})
    folder_replaced(link, {"a": b"3"})
    assert link.is_symlink()
    assert contents(tmp_path / "deep") == ["real"]
    assert contents(link) == ["a"]
    assert (link / "a").read_bytes() == b"3"


FOLDERS = f"""
import sys
from pathlib import Path
from tsrnn import files
rename, left = os.replace, [int(sys.argv[2])]
def replace(*names):
    left[0] -= 1
    if left[0] < 0:
        {KILL}
    rename(*names)
os.replace = replace
files.folder_replaced(Path(sys.argv[1]), {{"a": b"new"}})
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
@pytest.mark.parametrize("renames", [0, 1])
def test_a_killed_writer_of_a_folder_leaves_the_old_one_which_a_failing_one_keeps(tmp_path, monkeypatch, renames):
    path = tmp_path / "saved"
    folder_replaced(path, {"a": b"old"})
    killed(FOLDERS, str(path), str(renames))

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(InputError, match=r"cannot write .*saved: No space left on device; choose another --out"):
            folder_replaced(path, {"a": b"newer"})
    old = [file.read_bytes() for file in tmp_path.rglob("a")]
    assert b"old" in old
    folder_replaced(path, {"a": b"newer"})
    assert contents(tmp_path) == ["saved"]
    assert (path / "a").read_bytes() == b"newer"


def test_a_process_has_ended_when_it_waits_to_be_asked_for_or_its_number_went_to_another():
    me = alive.this()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert not alive.gone(me)
    assert not alive.ended(child.pid)
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it ends, and nobody takes its status
    assert alive.ended(child.pid)
    child.wait()
    assert alive.ended(child.pid)
    assert alive.gone(alive.Process(me.host, child.pid, ""))
    assert not alive.gone(alive.Process("another host", child.pid, ""))
    if me.started:
        assert alive.gone(alive.Process(me.host, me.pid, "0"))


@pytest.mark.skipif(not hasattr(os, "SEEK_HOLE"), reason="holes cannot be seen here")
def test_a_file_of_holes_is_not_read_and_a_short_hole_is_no_matter(tmp_path):
    hollow, whole = tmp_path / "hollow", tmp_path / "whole"
    hollow.write_bytes(b"{}")
    os.truncate(hollow, 1 << 30)
    with pytest.raises(InputError, match=r"hollow cannot be read .most of it is holes.; mend"):
        files.content(hollow, 1 << 31, "mend")
    with whole.open("wb") as file:
        file.write(b"x" * 50_000)
        file.seek(20_000, os.SEEK_CUR)
        file.write(b"x" * 50_000)
    assert len(files.content(whole, 1 << 20, "mend")) == 120_000


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no such file here")
def test_what_fails_while_it_is_read_is_one_sentence():
    with (
        pytest.raises(InputError, match=r"/proc/self/mem cannot be read .Input/output error.; mend"),
        files.plain(Path("/proc/self/mem"), "mend") as file,
    ):
        file.read(8)


def test_a_working_folder_that_was_deleted_is_one_sentence(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for write in (
        lambda: replaced(Path("x.csv"), lambda file: None),
        lambda: folder_replaced(Path("x"), {"a": b""}),
    ):
        with pytest.raises(InputError, match=r"cannot write x.*: No such file or directory; choose another --out"):
            write()
