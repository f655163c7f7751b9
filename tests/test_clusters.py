"""Ray as a guest: refused where it is not, silent where it is, and gone without a trace."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import jobs
import pytest

from tsrnn import clusters, execute
from tsrnn.clusters import cluster
from tsrnn.errors import InputError
from tsrnn.execute import ray as places

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")

PROGRAM = """
import os, signal, sys
from pathlib import Path
import jobs
from tsrnn import execute

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    before = dict(os.environ)
    folder, *actions = sys.argv[1:]
    done = execute.run(jobs.act, [(each, Path(folder, each)) for each in actions], execute.at("ray"))
    print([each.error_type or each.result for each in done])
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    assert {**os.environ, "RAY_CLIENT_MODE": ""} == {**before, "RAY_CLIENT_MODE": ""}
"""


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A short folder for sessions, which no other test has: theirs would be taken for those of this one."""
    tempfile.gettempdir()  # pytest's own folders stay where they are
    with tempfile.TemporaryDirectory(prefix="r", dir="/tmp" if os.name == "posix" else None) as folder:
        monkeypatch.setattr(clusters.workers, "short_folder", lambda longest: folder)
        monkeypatch.setenv("TMPDIR", folder)
        yield


def test_without_the_package_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r'a Ray cluster needs the package ray: pip install "tsrnn\[ray\]"'):
        execute.run(jobs.echo, [1], execute.at("ray"))


def told(name: str) -> type[Exception]:
    return type(name, (ArithmeticError,), {})


ERRORS = {
    name: told(name) for name in ("LocalRayletDiedError", "WorkerCrashedError", "NodeDiedError", "OutOfMemoryError")
}
ENDS = {
    "a call fails": "Failed to reconnect",
    "it says so": "it ended",
    "the node ends": "its node on this machine ended",
    "no node is left": "no node that has CPU=1 is left",
    "the head ends": "its head process ended",
}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """A Ray that does one job, and for the second one `get`; `ends` says in which way it is gone by then."""
    head = socket.create_server(("127.0.0.1", 0))
    began, came = list[str](), list[int]()
    address = f"127.0.0.1:{head.getsockname()[1]}"
    ray = SimpleNamespace(ended=list[str](), ends="", second=lambda: None)

    def wait(refs: list[int], timeout: float) -> tuple[list[int], list[int]]:
        if came and ray.ends == "a call fails":
            raise ConnectionError("Failed to reconnect.\nThe rest of what Ray says")
        return refs, []

    def get(ref: int) -> execute.Outcome:
        if came:
            ray.second()
        came.append(ref)
        if ray.ends == "the head ends":
            head.close()
        return execute.Outcome(ref, ref, None, 0.0)

    def cancel(ref: int, force: bool) -> None:
        raise ConnectionError("there is nobody")

    task = SimpleNamespace(remote=lambda function, job, place: job)
    ray.init = lambda address, **options: began.append(address)
    ray.is_initialized = lambda: bool(began) and not (came and ray.ends == "it says so")
    ray.nodes = lambda: [{"Alive": not (came and ray.ends == "no node is left"), "Resources": {"CPU": 1.0}}]
    ray.remote = lambda function: SimpleNamespace(options=lambda **how: task)
    ray.cloudpickle, ray.put = SimpleNamespace(dumps=repr), repr
    ray.exceptions = SimpleNamespace(RayTaskError=KeyError, RayError=ArithmeticError, **ERRORS)
    ray.wait, ray.get, ray.cancel, ray.shutdown = wait, get, cancel, lambda: ray.ended.append("shutdown")
    ray.util = SimpleNamespace(client=SimpleNamespace(ray=SimpleNamespace(is_connected=lambda: False)))
    ray.get_runtime_context = lambda: SimpleNamespace(gcs_address=address)
    ray._private = SimpleNamespace(auto_init_hook=SimpleNamespace(), worker=SimpleNamespace())
    monkeypatch.setattr(clusters, "_package", lambda: ray)
    monkeypatch.setattr(clusters, "_knock", lambda address: None)
    monkeypatch.setattr(clusters, "_BACK", 0)
    monkeypatch.setattr(places, "_POLL", 0)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with head:
        yield ray


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("address", ["", "10.0.0.1:10001"])
def test_a_cluster_that_goes_away_in_the_middle_is_told_of_in_a_sentence(
    ends: str, address: str, fake: SimpleNamespace
) -> None:
    """And no job is said to have killed its worker process for that."""

    def second() -> None:
        if ends == "the node ends":
            raise ERRORS["LocalRayletDiedError"]

    fake.ends, fake.second = ends, second
    seen: list[execute.Outcome] = []
    where = f"at ray://{address}" if address else "of this machine"
    said = rf"^the Ray cluster {where} has gone \({ENDS[ends]}\); what was finished is kept"
    with pytest.raises(InputError, match=said):
        execute.run(jobs.echo, [1, 2], execute.at(f"ray://{address}" if address else "ray"), seen.append)
    assert [each.result for each in seen] == [1]
    assert fake.ended == ["shutdown"]


class Odd(Exception):
    """Whose making takes more than a message."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one}\n{two}")


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (Odd("no such\ncodec", "left"), "RuntimeError: no such"),
        (ValueError(), "RuntimeError: ValueError"),
        (RuntimeError("It failed.\nE: No module named 'mine'"), "No module named 'mine'; install it on the nodes"),
        (ImportError("import failed: No module named 'mine'"), "No module named 'mine'; install it on the nodes"),
        (TypeError("cannot pickle 'lock' object"), "RuntimeError|cannot pickle 'lock' object, so it cannot be sent"),
    ],
)
def test_what_hindered_a_job_on_its_way_is_one_line(cause: Exception, said: str, fake: SimpleNamespace) -> None:
    def second() -> None:
        error = KeyError("of Ray")
        error.cause = cause  # type: ignore[attr-defined]  # as Ray's errors of tasks have it
        raise error

    fake.second = second
    good, bad = execute.run(jobs.echo, [1, 2], execute.at("ray"))
    assert good.result == 1
    assert any(each in str(bad.error) for each in said.split("|"))
    assert "\n" not in str(bad.error)


def test_a_fault_of_rays_own_is_no_death_of_a_worker(fake: SimpleNamespace) -> None:
    def second() -> None:
        raise told("RuntimeEnvSetupError")("Failed to set up the environment.\nMore")

    fake.second = second
    _, bad = execute.run(jobs.echo, [1, 2], execute.at("ray"))
    assert (bad.error, bad.error_type) == ("RuntimeError: Failed to set up the environment.", "RuntimeError")
    fake.second = lambda: (_ for _ in ()).throw(ERRORS["OutOfMemoryError"])
    _, dead = execute.run(jobs.echo, [1, 2], execute.at("ray"))
    assert dead.error_type == "WorkerDied"


def test_a_head_that_comes_back_is_waited_for(fake: SimpleNamespace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        place = door.getsockname()
    fake.get_runtime_context = lambda: SimpleNamespace(gcs_address=f"{place[0]}:{place[1]}")
    with pytest.raises(ConnectionError, match="its head process ended"):
        clusters.Cluster(fake, 0).check()
    back = threading.Timer(0.2, lambda: doors.append(socket.create_server(place)))
    doors: list[socket.socket] = []
    back.start()
    clusters.Cluster(fake, jobs.PATIENCE).check()
    back.join()
    doors[0].close()


def test_an_address_that_does_not_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setattr(clusters, "_PATIENCE", 0.2)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(InputError, match=f"no Ray cluster answers at ray://{place} .*refused.*; check the address"):
            execute.run(jobs.echo, [1], execute.at(f"ray://{place}"))
        other.listen()
        with pytest.raises(InputError, match=f"no Ray cluster answers at ray://{place} .*timed out"), cluster(place):
            pass
        monkeypatch.setenv("RAY_ADDRESS", place)
        with pytest.raises(InputError, match=f"no Ray cluster answers at {place} .*timed out"), cluster():
            pass
    for wrong in ("host:many", "//"):
        with pytest.raises(InputError, match=f"ray://{wrong} is no address of a Ray cluster; write ray://HOST:PORT"):
            execute.run(jobs.echo, [1], execute.at(f"ray://{wrong}"))


def start(folder: Path, *actions: str) -> "subprocess.Popen[str]":
    """The program, with a home and a folder for temporary files of its own."""
    for name in ("home", "logs"):
        (folder / name).mkdir(exist_ok=True)
    ours = {"HOME": str(folder / "home"), "PYTHONPATH": os.pathsep.join(sys.path)}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")} | ours
    command = [sys.executable, "-c", PROGRAM, str(folder / "logs"), *actions]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment, start_new_session=True)


def sessions() -> set[Path]:
    base = Path(clusters.workers.short_folder(clusters._LONGEST))
    return set(base.glob(f"{clusters._NAME}*"))


def family(session: Path) -> list[str]:
    """The processes that name a session's folder on their command lines."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [path.parent.name] if str(session) in path.read_text(errors="replace") else []
        except OSError:  # it has just ended
            continue
    return found


@posix
@pytest.mark.slow
def test_a_cluster_of_our_own_is_silent_and_leaves_nothing(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    before = sessions()
    out, err = start(tmp_path, "fine", "die once", "raise").communicate()
    assert (out, err) == ("['fine', 'die once', 'ZeroDivisionError']\n", "")
    assert not list((tmp_path / "home").iterdir())
    assert sessions() <= before


@posix
@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_cluster_ends_with_its_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals) -> None:
    pytest.importorskip("ray")
    before = sessions()
    program = start(tmp_path, "stay")
    jobs.wait_for((tmp_path / "logs" / "stay").exists, program)
    (session,) = sessions() - before
    os.killpg(program.pid, how)  # as a terminal does
    _, err = program.communicate()
    jobs.wait_for(lambda: not family(session))
    if how is signal.SIGINT:
        assert err.count("Traceback") == 1
        assert err.rstrip().endswith("KeyboardInterrupt")
        assert not session.exists()
        return
    assert session.exists()
    with clusters._session():
        assert session.exists()  # it may be one that is just being made
    os.utime(session, (time.time() - 2 * clusters._YOUNG,) * 2)
    with clusters._session() as young:
        assert not session.exists()
        monkeypatch.setattr(clusters, "_YOUNG", -60)
        with clusters._session() as other:
            assert young.exists()
    assert not young.exists()
    assert not other.exists()


@posix
@pytest.mark.slow
def test_a_cluster_that_is_there_is_joined_and_left_as_it_was(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    pytest.importorskip("grpc")
    doors = [socket.socket() for _ in range(2)]
    for door in doors:
        door.bind(("127.0.0.1", 0))
    head, client = (door.getsockname()[1] for door in doors)
    for door in doors:
        door.close()
    (tmp_path / "logs").mkdir()
    with clusters._session() as folder:
        words = f"start --head --port={head} --ray-client-server-port={client} --num-cpus=2 --temp-dir={folder} --block"
        words += " --include-dashboard=false --object-store-memory=100000000 --disable-usage-stats"
        command = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", *words.split()]
        environment = {**os.environ, "RAY_AUTH_MODE": "disabled", "PYTHONPATH": os.pathsep.join(sys.path)}
        quiet = subprocess.DEVNULL
        server = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet, start_new_session=True)
        try:
            jobs.wait_for(lambda: answers(client), server)
            for _ in range(2):
                try:
                    done = execute.run(
                        jobs.act, [("fine", tmp_path / "logs" / "fine")], execute.at(f"ray://127.0.0.1:{client}")
                    )
                except InputError as refused:
                    if "Initialization failure" in str(refused):  # Ray's own limit, on a busy machine
                        pytest.skip(str(refused))
                    raise
                assert [(each.result, each.error) for each in done] == [("fine", None)]
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
            jobs.wait_for(lambda: not family(folder))


def answers(port: int) -> bool:
    try:
        clusters._knock(f"127.0.0.1:{port}")
    except InputError:
        return False
    return True
