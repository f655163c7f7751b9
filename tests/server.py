"""A PostgreSQL server of the tests' own: made, started, stopped in the middle, and thrown away."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Literal

USER = "postgres"  # PostgreSQL does not run as root
_OPTIONS = "-c fsync=off -c unix_socket_directories= -c listen_addresses=127.0.0.1 -c log_min_messages=fatal"


def programs() -> Path | None:
    """Where `initdb` and `pg_ctl` are; Debian keeps them off the path."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name.split(".")[0]))
    return next((place for place in reversed(places) if (place / "pg_ctl").is_file()), None)


def missing() -> str | None:
    """Why there can be no server."""
    if os.name != "posix" or programs() is None:
        return "no PostgreSQL server is installed: apt-get install postgresql"
    if os.getuid() == 0 and subprocess.run(["id", USER], capture_output=True).returncode:
        return f"PostgreSQL does not run as root, and there is no user {USER}"
    return None


class Server:
    """A cluster in a temporary folder, on a free port of this machine; `with Server() as server: ...`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tsrnn-postgres-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        if os.getuid() == 0:
            shutil.chown(self.folder, USER)
        self._do("initdb", "--auth=trust", f"--username={USER}", "--no-sync", "--encoding=UTF8", "--locale=C")

    def url(self, base: str = "postgres", scheme: str = "postgresql") -> str:
        return f"{scheme}://{USER}@127.0.0.1:{self.port}/{base}"

    def start(self) -> None:
        log = self.folder / "log"
        self._do("pg_ctl", "start", "-w", "-t", "120", "-l", str(log), "-o", f"-p {self.port} {_OPTIONS}")

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        self._do("pg_ctl", "stop", "-w", "-m", mode)

    def create(self, base: str) -> str:
        """A new, empty database; its URL."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{base}"')  # type: ignore[call-overload]  # a literal for strangers' words
        return self.url(base)

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _do(self, program: str, *words: str) -> None:
        place = programs()
        assert place is not None
        command = [str(place / program), "-D", str(self.folder / "cluster"), *words]
        if os.getuid() == 0:
            command = ["runuser", "-u", USER, "--", *command]
        done = subprocess.run(
            command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180
        )
        assert done.returncode == 0, done.stdout
