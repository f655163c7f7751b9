"""C++ text -> a loaded library, compiled once by the system's compiler and kept in the user's cache.

The artefact's name is a hash of all that shaped it (source, compiler, flags, the processor's instruction set) and a
hash of its own bytes, which is checked before it is loaded: a damaged file, or one that came from another machine, is
never run. The cache folder is one that nobody else can write, rename or replace (`tsrnn.recurrence.owned`); where there
is none to be had, or it is full, a folder that lives as long as the process takes its place. `TSRNN_CACHE` names
another folder, `CXX` another compiler.
"""

import atexit
import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import platformdirs

from tsrnn.recurrence import owned

FLAGS = (
    *("-O3", "-march=native", "-std=c++17", "-fPIC", "-shared", "-w"),
    *("-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"),  # NaN and infinity stay what they are
)
_COMPILERS = ("g++", "clang++", "c++")
_SECONDS = 120  # a compiler that takes longer is taken for broken


class Unavailable(RuntimeError):
    """No library can be had here; the message says why, for `explain`."""


@cache
def library(source: str) -> tuple[str, ctypes.CDLL]:
    """The key and the library of a C++ source, from this process, the cache, or the compiler.

    Raises:
        Unavailable: there is no compiler, it refuses the source, or no folder takes what it made.
    """
    compiler, version = _compiler()
    key = hashlib.sha256("\0".join([source, version, *FLAGS, _instructions()]).encode()).hexdigest()[:32]
    reason = ""
    for folder in _folders():
        try:
            return key, _kept(folder, key) or _compile(compiler, source, key, folder)
        except (OSError, Unavailable) as error:
            reason = str(error)
    raise Unavailable(reason)


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


def _compile(compiler: str, source: str, key: str, folder: Path) -> ctypes.CDLL:
    """Compile under a temporary name, then rename: two processes at once only do the work twice."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".building-") as scratch:
        text, built = Path(scratch) / "kernel.cpp", Path(scratch) / "kernel.so"
        text.write_text(source, encoding="utf-8")
        try:
            # What it writes in between goes there too: a disk that is full elsewhere is no matter.
            done = _run([compiler, *FLAGS, str(text), "-o", str(built)], {**os.environ, "TMPDIR": scratch})
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
