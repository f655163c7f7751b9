"""One way to write a file: whole or not at all, whatever stands at its place."""

import os
import threading
from pathlib import Path

import polars as pl
import pytest

from tsrnn import InputError
from tsrnn.files import replaced


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
