"""C++ text -> a loaded library, compiled once by the system's compiler and kept in the user's cache.

The artefact's name is a hash of all that shaped it (source and headers, compiler, flags, the processor's instruction
set) and a hash of its own bytes, which is checked before it is loaded: a damaged file, or one that came from another
machine, is never run. The cache folder is one that nobody else can write, rename or replace
(`tsrnn.recurrence.owned`); where there is none to be had, or it is full, a folder that lives as long as the process
takes its place. `TSRNN_CACHE` names another folder, `CXX` another compiler.
"""

import atexit
import ctypes
import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import platformdirs
import torch

from tsrnn.recurrence import owned

SINGLE = {torch.float32: 1, torch.float64: 0}  # what vectors.hpp asks for each type that kernels come in
FLAGS = (
    *("-O3", "-march=native", "-std=c++17", "-fPIC", "-shared"),
    *("-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"),  # NaN and infinity stay what they are
)
_COMPILERS = ("g++", "clang++", "c++")
_SECONDS = 120  # a compiler that takes longer is taken for broken
_SOURCE = "kernel.cpp"
_HEADERS = Path(__file__).parent
_INCLUDE = re.compile(r'^#include "(.+)"$', re.MULTILINE)


class Unavailable(RuntimeError):
    """No library can be had here; the message says why, for `explain`."""


@cache
def library(source: str) -> tuple[str, ctypes.CDLL]:
    """The key and the library of a C++ source, from this process, the cache, or the compiler.

    What it includes in quotes are the headers beside this file.

    Raises:
        Unavailable: there is no compiler, it refuses the source, or no folder takes what it made.
    """
    texts, (compiler, _) = files(source), _compiler()
    name, reason = key(texts), ""
    for folder in _folders():
        try:
            return name, _kept(folder, name) or _compile(compiler, texts, name, folder)
        except (OSError, Unavailable) as error:
            reason = str(error)
    raise Unavailable(reason)


def key(texts: dict[str, str]) -> str:
    """The hash of all that shapes a library.

    Raises:
        Unavailable: there is no compiler.
    """
    parts = [*(part for text in texts.items() for part in text), _compiler()[1], *FLAGS, _instructions()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def files(source: str) -> dict[str, str]:
    """The texts that a source is compiled from, by file: itself, and each header that it or another header includes."""
    texts, waiting = {_SOURCE: source}, [source]
    while waiting:
        for name in _INCLUDE.findall(waiting.pop()):
            if name not in texts:
                texts[name] = (_HEADERS / name).read_text(encoding="utf-8")
                waiting.append(texts[name])
    return texts


def available() -> tuple[bool, str]:
    """Whether kernels can be compiled here, and by what or why not."""
    try:
        compiler, version = _compiler()
    except Unavailable as reason:
        return False, str(reason)
    return True, f"{compiler} ({version.splitlines()[0]})"


@cache
def folder_of_kernels() -> Path:
    """The user's own folder for compiled kernels, or one for this process alone.

    Raises:
        Unavailable: neither can be had.
    """
    named = os.environ.get("TSRNN_CACHE")
    folder = (Path(named).absolute() if named else Path(platformdirs.user_cache_dir("tsrnn"))) / "kernels"
    try:
        if folder.is_absolute() and owned.claim(folder):  # without a home folder it is "~/.cache"
            return folder
    except OSError:
        pass
    return _private()


def _folders() -> Iterator[Path]:
    """Where a library may be kept, the best first."""
    yield folder_of_kernels()
    if _private() != folder_of_kernels():
        yield _private()


@cache
def _private() -> Path:
    """A folder that ends with this process."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="tsrnn-kernels-"))
    except OSError as error:
        raise Unavailable(f"no folder can be had for kernels: {error.strerror or error}") from None
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _compiler() -> tuple[str, str]:
    """The compiler's path and what it says of itself."""
    for name in (os.environ.get("CXX"), *_COMPILERS):
        path = shutil.which(name) if name else None
        if path is None:
            continue
        try:
            said = _run([path, "--version"], os.environ)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if said.returncode == 0 and said.stdout:
            return path, said.stdout
    raise Unavailable("no C++ compiler was found (g++ or clang++; CXX names another)")


@cache
def _instructions() -> str:
    """What -march=native means here: two machines with the same words run the same code."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    kept = sorted({line for line in lines if line.startswith(("flags", "Features", "model name", "CPU part"))})
    return "\n".join([platform.machine(), *kept])


def _kept(folder: Path, key: str) -> ctypes.CDLL | None:
    """The library that an earlier process left in `folder`; damaged ones are removed."""
    for path in folder.glob(f"{key}-*.so"):
        loaded = owned.load(path, path.stem.partition("-")[2])
        if loaded is not None:
            return loaded
        path.unlink(missing_ok=True)
    return None


def _compile(compiler: str, texts: dict[str, str], key: str, folder: Path) -> ctypes.CDLL:
    """Compile under a temporary name, then rename: two processes at once only do the work twice."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".building-") as scratch:
        built = Path(scratch) / "kernel.so"
        for name, text in texts.items():  # the very texts that the key is made of
            (Path(scratch) / name).write_text(text, encoding="utf-8")
        try:
            # What it writes in between goes there too: a disk that is full elsewhere is no matter.
            words = [compiler, *FLAGS, str(Path(scratch) / _SOURCE), "-o", str(built)]
            done = _run(words, {**os.environ, "TMPDIR": scratch})
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"{compiler} failed: {error}") from None
        if done.returncode:
            said = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr[:200])
            raise Unavailable(f"{compiler} refuses the kernel: {said.strip()}")
        built.chmod(0o700)
        target = folder / f"{key}-{owned.digest(built.read_bytes())}.so"
        os.replace(built, target)
    loaded = owned.load(target)
    if loaded is None:
        raise Unavailable(f"{folder} does not keep files to their owner")
    return loaded


def _run(words: list[str], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        words, capture_output=True, text=True, errors="replace", check=False, timeout=_SECONDS, env=environment
    )
