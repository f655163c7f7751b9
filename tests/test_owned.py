"""The kernels' cache among other users: nothing that another may have written is run, and no obstacle is an error."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from kernel_cache import answer, as_root, cache, forget, needs_compiler

from tsrnn import machine
from tsrnn.recurrence import Recurrent, build, owned

__all__ = ["cache"]  # a fixture
OTHER = 12345
pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="owners of POSIX systems")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def give_away(path: Path) -> None:
    os.chown(path, OTHER, OTHER, follow_symlinks=False)


def planted(cache: Path) -> Path:
    """A library that answers 666 to the question 45, under the very name that the cache would give it."""
    assert answer(45) == 45
    (right,) = cache.glob("*.so")
    assert answer(666) == 666
    (wrong,) = set(cache.glob("*.so")) - {right}
    content = wrong.read_bytes()
    target = cache / f"{right.stem.partition('-')[0]}-{owned.digest(content)}.so"
    right.unlink()
    wrong.unlink()
    target.write_bytes(content)
    target.chmod(0o700)
    return target


def linked(path: Path) -> None:
    elsewhere = path.parents[2] / "elsewhere.so"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@needs_compiler
def test_a_planted_library_of_ones_own_would_run(cache: Path) -> None:
    planted(cache)
    assert answer(45) == 666


@needs_compiler
@pytest.mark.parametrize(
    "change",
    [pytest.param(give_away, marks=as_root), linked, piped, lambda path: path.chmod(0o722)],
    ids=["another's", "a link", "a pipe", "open to others"],
)
@pytest.mark.parametrize("seen", ["when the folder is taken", "when the file is opened"])
def test_what_another_may_have_written_is_not_run(cache: Path, change: Callable[[Path], None], seen: str) -> None:
    change(planted(cache))
    if seen == "when the folder is taken":
        forget()
        assert build.folder_of_kernels() == cache
        assert not list(cache.iterdir())
    assert answer(45) == 45


@needs_compiler
def test_the_folder_is_closed_to_others(cache: Path) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    assert build.folder_of_kernels() == cache
    assert mode(cache) == 0o700


def test_folders_are_made_closed_whatever_the_mask(cache: Path) -> None:
    before = os.umask(0)
    try:
        assert build.folder_of_kernels() == cache
    finally:
        os.umask(before)
    assert (mode(cache), mode(cache.parent)) == (0o700, 0o700)


@as_root
@pytest.mark.parametrize("mode_then", [0o777, 0o700])
def test_what_others_left_in_a_folder_is_removed(cache: Path, mode_then: int) -> None:
    cache.mkdir(parents=True)
    cache.chmod(mode_then)
    for name in ("ours.so", "theirs.so", "theirs.json"):
        (cache / name).write_bytes(b"")
    for name in ("theirs.so", "theirs.json"):
        give_away(cache / name)
    assert build.folder_of_kernels() == cache
    assert [path.name for path in cache.iterdir()] == ["ours.so"]


def its_own(cache: Path) -> None:
    give_away(cache)


def the_parent(cache: Path) -> None:
    give_away(cache.parent)


def a_grandparent(cache: Path) -> None:
    give_away(cache.parents[1])


def the_parents_group(cache: Path) -> None:
    os.chown(cache.parent, 0, OTHER)
    cache.parent.chmod(0o770)


def a_link_on_the_way(cache: Path) -> None:
    cache.parent.rename(cache.parent.with_name("there"))
    cache.parent.symlink_to(cache.parent.with_name("there"))
    give_away(cache.parent)


def where_a_link_leads(cache: Path) -> None:
    room = cache.parents[1] / "theirs"
    room.mkdir()
    cache.parent.rename(room / "there")
    cache.parent.symlink_to(Path("theirs") / "there")
    give_away(room)


def open_parent(cache: Path) -> None:
    cache.parent.chmod(0o777)


def open_grandparent(cache: Path) -> None:
    cache.parents[1].chmod(0o707)


def a_file(cache: Path) -> None:
    cache.rmdir()
    cache.write_text("in the way")


def a_link_to_itself(cache: Path) -> None:
    cache.rmdir()
    cache.symlink_to(cache)


THEIRS = (its_own, the_parent, a_grandparent, the_parents_group, a_link_on_the_way, where_a_link_leads)
OBSTACLES = (open_parent, open_grandparent, a_file, a_link_to_itself)


@needs_compiler
@pytest.mark.parametrize("obstacle", [*(pytest.param(each, marks=as_root) for each in THEIRS), *OBSTACLES])
def test_a_folder_that_others_reach_is_replaced_by_a_private_one(cache: Path, obstacle: Callable[[Path], None]) -> None:
    cache.mkdir(parents=True, mode=0o700)
    obstacle(cache)
    folder = build.folder_of_kernels()
    assert folder not in (cache, cache.resolve() if cache.is_dir() else cache)
    assert mode(folder) == 0o700
    assert answer(45) == 45
    assert len(list(folder.iterdir())) == 1
    assert not cache.is_dir() or not list(cache.iterdir())


def sticky(cache: Path) -> None:
    cache.parents[1].chmod(0o1777)


def our_link(cache: Path) -> None:
    cache.parent.rename(cache.parent.with_name("there"))
    cache.parent.symlink_to(cache.parent.with_name("there"))


@pytest.mark.parametrize("way", [sticky, our_link])
def test_a_folder_that_nobody_else_can_replace_is_taken(cache: Path, way: Callable[[Path], None]) -> None:
    cache.mkdir(parents=True)
    way(cache)
    assert build.folder_of_kernels() == cache


def full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes no file below `folder`."""
    write = Path.write_text

    def refuse(path: Path, *content: object, **options: object) -> int:
        if folder in path.parents:
            raise OSError(28, "No space left on device")
        return write(path, *content, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", refuse)


@needs_compiler
def test_a_full_disk_is_done_without(cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    full(cache, monkeypatch)
    assert answer(45) == 45
    assert not list(cache.iterdir())
    assert len(list(build._private().iterdir())) == 1


def test_where_no_disk_takes_anything_the_loop_runs(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    full(tmp_path, monkeypatch)
    built, x = Recurrent("peephole", 3, 4), torch.randn(2, 5, 3)
    assert built.explain(x).startswith("reference: ")
    built(x)


def test_where_no_folder_can_be_had_the_loop_runs_and_info_says_so(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("in the way")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    built, x = Recurrent("peephole", 3, 4), torch.randn(2, 5, 3)
    assert "no folder can be had for kernels" in built.explain(x)
    built(x)
    assert "no folder can be had for kernels" in machine.facts()["kernels"]["folder"]


@needs_compiler
def test_where_no_descriptor_has_a_name_a_copy_is_loaded(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exists = os.path.exists
    monkeypatch.setattr("os.path.exists", lambda path: not str(path).startswith("/proc/") and exists(path))
    assert answer(47) == 47
    assert answer(47) == 47


@needs_compiler
def test_a_descriptor_that_comes_back_brings_no_older_library(cache: Path) -> None:
    assert [answer(number) for number in (1, 2, 3, 2, 1)] == [1, 2, 3, 2, 1]
