"""C++ text -> a loaded library, compiled once by the system's compiler and kept in the user's cache.

The artefact's name is a hash of all that shaped it (source, compiler, flags, the processor's instruction set) and a
hash of its own bytes, which is checked before it is loaded: a damaged file, or one that came from another machine, is
never run. The cache folder is the user's own and closed to others; where there is none to be had, a folder that lives
as long as the process takes its place. `TSRNN_CACHE` names another folder, `CXX` another compiler.
"""

import atexit
import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import platformdirs

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
        Unavailable: there is no compiler, or it refuses the source.
    """
    compiler, version = _compiler()
    key = hashlib.sha256("\0".join([source, version, *FLAGS, _instructions()]).encode()).hexdigest()[:32]
    folder = folder_of_kernels()
    for path in folder.glob(f"{key}-*.so"):
        if path.stem.partition("-")[2] == _digest(path):
            return key, ctypes.CDLL(str(path))
        path.unlink(missing_ok=True)
    return key, ctypes.CDLL(str(_compile(compiler, source, key, folder)))


def available() -> tuple[bool, str]:
    """Whether kernels can be compiled here, and by what or why not."""
    try:
        compiler, version = _compiler()
    except Unavailable as reason:
        return False, str(reason)
    return True, f"{compiler} ({version.splitlines()[0]})"


@cache
def folder_of_kernels() -> Path:
    """The user's own folder for compiled kernels, or one for this process alone."""
    named = os.environ.get("TSRNN_CACHE")
    folder = (Path(named) if named else Path(platformdirs.user_cache_dir("tsrnn"))) / "kernels"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
        own = not hasattr(os, "getuid") or found.st_uid == os.getuid()
        if own and found.st_mode & 0o077:
            folder.chmod(0o700)
            for path in folder.iterdir():  # what others left there while it stood open is not to be run
                if path.lstat().st_uid != found.st_uid:
                    path.unlink()
        if own and os.access(folder, os.W_OK | os.X_OK):
            return folder
    except OSError:
        pass
    private = Path(tempfile.mkdtemp(prefix="tsrnn-kernels-"))
    atexit.register(shutil.rmtree, private, ignore_errors=True)
    return private


@cache
def _compiler() -> tuple[str, str]:
    """The compiler's path and what it says of itself."""
    for name in (os.environ.get("CXX"), *_COMPILERS):
        path = shutil.which(name) if name else None
        if path is None:
            continue
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if said.returncode == 0:
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


def _compile(compiler: str, source: str, key: str, folder: Path) -> Path:
    """Compile under a temporary name, then rename: two processes at once only do the work twice."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".building-") as scratch:
        text, built = Path(scratch) / "kernel.cpp", Path(scratch) / "kernel.so"
        text.write_text(source, encoding="utf-8")
        try:
            done = subprocess.run(
                [compiler, *FLAGS, str(text), "-o", str(built)],
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"{compiler} failed: {error}") from None
        if done.returncode:
            said = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr[:200])
            raise Unavailable(f"{compiler} refuses the kernel: {said.strip()}")
        target = folder / f"{key}-{_digest(built)}.so"
        os.replace(built, target)
    return target


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32]
