"""Parquet streamed into files that are mapped: the same panel, losses and forecasts as in memory, or one sentence."""

import errno
import io
import json
import os
import socket
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

import tsrnn
from tsrnn import buffer, pages, scale, split
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster
from tsrnn.mapped import columns, sources, stream

LONG = "a name of more than twelve letters: Ærø"
TASK = {"input_size": 24, "horizon": 6, "hidden_size": 4, "max_epochs": 2, "batch_size": 16, "progress": False}
pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.errors.Notice")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Few rows at once, so that small tables have several blocks."""
    monkeypatch.setattr(stream, "_ROWS", 50)
    monkeypatch.setattr(pages, "BLOCK", 64)
    monkeypatch.setattr(columns, "_SHORT", 12)


def table(names=("b", LONG, "a"), rows=130, seed=0):
    rng = np.random.default_rng(seed)
    parts = []
    for name in names:
        wave = np.sin(np.arange(rows) / 4) + 0.1 * rng.standard_normal(rows)
        times = [datetime(2020, 1, 1) + timedelta(hours=hour) for hour in range(rows)]
        gaps = rng.random(rows) < 0.1
        part = {"unique_id": [name] * rows, "ds": times, "y": wave.astype(np.float32)}
        part |= {
            "wind": np.where(gaps, np.nan, wave + 1),
            "count": rng.integers(0, 9, rows),
            "on": rng.random(rows) < 0.5,
        }
        parts.append(pl.DataFrame(part).with_columns(pl.when(~pl.Series(gaps)).then("on").alias("on")))
    return pl.concat(parts).with_columns(
        pl.when(pl.col("count") > 0).then("count"),
        pl.lit(date(2020, 2, 3)).alias("day"),
        pl.col("ds").dt.replace_time_zone("Europe/Oslo", ambiguous="earliest").alias("zoned"),
        pl.when(pl.col("count") > 4).then(pl.lit("word")).otherwise(pl.lit(None)).alias("said"),
    )


def written(folder, *frames):
    folder.mkdir(exist_ok=True)
    for number, frame in enumerate(frames):
        frame.write_parquet(folder / f"{number}.parquet", row_group_size=40)
    return folder


@pytest.fixture
def archive(tmp_path):
    frame = table()
    return written(tmp_path / "archive", frame[:100], frame[100:])


ROLES = {"target": "y", "past_covariates": ["wind", "count"]}


def test_a_mapped_panel_is_the_one_in_memory(archive, tmp_path):
    inside, mapped = tsrnn.load(archive, **ROLES), tsrnn.load(archive, maps=tmp_path / "maps", **ROLES)
    assert mapped.frame.schema == inside.frame.schema
    assert mapped.frame.equals(inside.frame, null_equal=True)
    assert (mapped.roles, mapped.sha256, mapped.reading) == (inside.roles, inside.sha256, inside.reading)
    for one, other in zip(inside.arrays().columns, mapped.arrays().columns, strict=True):
        np.testing.assert_array_equal(one, other)
        assert pages.home(one) is None
        assert pages.home(other).parent == tmp_path / "maps"


def test_training_on_maps_is_training_in_memory(archive, tmp_path):
    answers = []
    for maps in ({}, {"maps": tmp_path / "maps"}):
        model = Forecaster("gru", **TASK).fit(tsrnn.load(archive, **ROLES, **maps))
        score = model.score(split={"ratios": [0.6, 0.2, 0.2]})
        answers.append((model.report_.losses, model.predict().to_dict(as_series=False), score.values))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("padding", [0, 23])
def test_rows_are_laid_down_beside_the_maps_and_found_again(archive, tmp_path, padding):
    inside, mapped = (tsrnn.load(archive, **ROLES, **maps).arrays() for maps in ({}, {"maps": tmp_path / "maps"}))
    scaling = scale.fit("standard", inside, split.whole(inside))
    one, other, again = (buffer.lay(arrays, scaling, padding) for arrays in (inside, mapped, mapped))
    assert one.values.equal(other.values)
    assert one.observed.equal(other.observed)
    folders = list((tmp_path / "maps").glob("*/rows-*"))
    assert len(folders) == 1
    assert pages.home(other.values.numpy()) == pages.home(again.values.numpy()) == folders[0]
    kinds = [scale.Affine(scaling.loc + shift, scaling.scale) for shift in (1, 2, 3)]
    assert buffer.lay(mapped, kinds[0], padding).values.equal(buffer.lay(inside, kinds[0], padding).values)
    for each in kinds[1:]:
        buffer.lay(mapped, each, padding)
    assert len(list((tmp_path / "maps").glob("*/rows-*"))) == 2


def test_series_that_come_mixed_are_sorted_out(tmp_path):
    frame = table()
    by_time = frame.sort("ds", maintain_order=True)
    folder = written(tmp_path / "archive", *(by_time[at : at + 70] for at in range(0, len(by_time), 70)))
    mapped = tsrnn.load(folder, maps=tmp_path / "maps", **ROLES)
    assert mapped.frame.equals(tsrnn.Panel.of(frame, **ROLES).frame, null_equal=True)
    assert mapped.ids == ("b", LONG, "a")


def test_files_without_ids_are_series_by_their_names(tmp_path):
    folder = written(tmp_path / "archive", *(table((name,)).drop("unique_id") for name in "ab"))
    inside, mapped = tsrnn.load(folder, **ROLES), tsrnn.load(folder, maps=tmp_path / "maps", **ROLES)
    assert mapped.ids == inside.ids == ("0", "1")
    assert mapped.frame.equals(inside.frame, null_equal=True)


def test_one_file_is_a_panel_of_its_own(archive, tmp_path):
    file = archive / "0.parquet"
    inside, mapped = tsrnn.load(file, **ROLES), tsrnn.load(file, maps=tmp_path / "maps", **ROLES)
    assert mapped.frame.equals(inside.frame, null_equal=True)
    assert mapped.sha256 == inside.sha256


def test_the_second_call_finds_what_the_first_one_wrote(archive, tmp_path, monkeypatch):
    first = tsrnn.load(archive, maps=tmp_path / "maps", **ROLES)
    for file in archive.iterdir():
        os.utime(file, (1, 1))  # another time, the same checksum
    monkeypatch.setattr("tsrnn.mapped.build", lambda *_: pytest.fail("streamed again"))
    again = tsrnn.load(archive, maps=tmp_path / "maps", **ROLES)
    assert again.frame.equals(first.frame, null_equal=True)


def test_sources_that_changed_are_streamed_anew(archive, tmp_path):
    tsrnn.load(archive, maps=tmp_path / "maps", **ROLES)
    frame = table(seed=1)
    written(archive, frame[:100], frame[100:])
    assert tsrnn.load(archive, maps=tmp_path / "maps", **ROLES).frame.equals(
        frame.with_columns(pl.col("wind").fill_nan(None)), null_equal=True
    )
    assert len(list((tmp_path / "maps").iterdir())) == 1


def test_an_address_of_fsspec_is_fetched_and_forgotten(archive, tmp_path):
    import fsspec

    system = fsspec.filesystem("memory")
    for file in archive.iterdir():
        system.pipe(f"/archive/{file.name}", file.read_bytes())
    inside = tsrnn.load(archive, **ROLES)
    for address in ("memory://archive", "memory://archive/*.parquet"):
        mapped = tsrnn.load(address, maps=tmp_path / "maps", **ROLES)
        assert mapped.frame.equals(inside.frame, null_equal=True)
    assert not list((tmp_path / "maps").glob(".*"))
    with pytest.raises(InputError, match=r"memory://nothing.* holds no Parquet files|check the"):
        tsrnn.load("memory://nothing/*.parquet", maps=tmp_path / "maps")
    with pytest.raises(InputError, match=r"memory://nothing/a.parquet cannot be read \(there is no such file\)"):
        tsrnn.load("memory://nothing/a.parquet", maps=tmp_path / "maps")


def test_a_connection_that_breaks_is_one_sentence_and_leaves_nothing(archive, tmp_path, monkeypatch):
    import fsspec

    class Broken(Exception):
        """As libraries for a store have them: no OSError."""

    class Half(io.BytesIO):
        def read(self, size=-1):
            raise Broken("reset by peer\nand more")

    system = fsspec.filesystem("memory")
    for file in archive.iterdir():
        system.pipe(f"/broken/{file.name}", file.read_bytes())
    monkeypatch.setattr(type(system), "open", lambda *path, **how: Half())
    with pytest.raises(
        InputError, match=r"/broken/.*parquet cannot be fetched \(reset by peer\); check the connection"
    ):
        tsrnn.load("memory://broken", maps=tmp_path / "maps", **ROLES)
    assert not [each for each in (tmp_path / "maps").rglob("*") if each.is_file()]


def test_a_web_server_that_says_nothing_is_given_up(tmp_path, monkeypatch):
    pytest.importorskip("aiohttp")
    monkeypatch.setattr(sources, "_SILENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/a.parquet"
        with pytest.raises(InputError, match=rf"{address} cannot be read \(.*[Tt]imeout.*\); check the address"):
            tsrnn.load(address, maps=tmp_path / "maps")


def refused(archive, tmp_path, match, **roles):
    with pytest.raises(InputError, match=match):
        tsrnn.load(archive, maps=tmp_path / "maps", **ROLES, **roles)
    return list((tmp_path / "maps").glob("*"))


def test_two_schemas_are_refused(archive, tmp_path):
    table().with_columns(pl.col("count").cast(pl.Int32)).write_parquet(archive / "2.parquet")
    said = "2.parquet: column 'count' is of type Int32, and in .*0.parquet of type Int64; write it alike"
    assert not refused(archive, tmp_path, said)
    table().drop("wind").write_parquet(archive / "2.parquet")
    assert not refused(archive, tmp_path, "2.parquet lacks 'wind'")


def test_a_truncated_file_is_refused(archive, tmp_path):
    whole = (archive / "1.parquet").read_bytes()
    (archive / "1.parquet").write_bytes(whole[:-200])
    assert not refused(archive, tmp_path, "1.parquet is cut off")
    (archive / "1.parquet").write_bytes(whole[:300] + bytes(1500) + whole[1800:])
    assert not refused(archive, tmp_path, "1.parquet is damaged")


def test_a_full_disk_leaves_nothing_and_says_so(archive, tmp_path, monkeypatch):
    def full(descriptor, offset, length):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        assert not refused(
            archive, tmp_path, "cannot write .*maps.*: No space left on device; make room, or name another maps="
        )
    panel = tsrnn.load(archive, maps=tmp_path / "maps", **ROLES)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(InputError, match="No space left on device; make room"):
        Forecaster("gru", **TASK).fit(panel)
    assert not list((tmp_path / "maps").glob("*/*rows*"))


def test_maps_of_another_byte_order_are_refused(archive, tmp_path):
    tsrnn.load(archive, maps=tmp_path / "maps", **ROLES)
    folder = next((tmp_path / "maps").iterdir())
    told = json.loads((folder / "maps.json").read_text())
    other = {"little": "big", "big": "little"}[told["byteorder"]]
    (folder / "maps.json").write_text(json.dumps({**told, "byteorder": other}))
    said = f"maps.json was written on a machine of another byte order \\('{other}'\\); delete the folder"
    refused(archive, tmp_path, said)
    (folder / "maps.json").write_text(json.dumps(told))
    values = np.fromfile(folder / "2.npy", np.uint8)
    (folder / "2.npy").write_bytes(values.tobytes().replace(b"<f4", b">f4"))
    refused(archive, tmp_path, "2.npy was written on a machine of another byte order")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: raw[:-4], "2.npy is cut off"),
        (lambda raw: b"no numbers" + raw[10:], "2.npy is no map of numbers"),
        (lambda raw: raw.replace(b"(390,), }", b"(780,), }") + bytes(4 * 390), "2.npy holds other rows"),
    ],
)
def test_a_damaged_map_is_refused(archive, tmp_path, change, said):
    tsrnn.load(archive, maps=tmp_path / "maps", **ROLES)
    file = next((tmp_path / "maps").glob("*/2.npy"))
    file.write_bytes(change(file.read_bytes()))
    refused(archive, tmp_path, said)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 1, "byteorder": "little"}'])
def test_a_damaged_index_is_refused(archive, tmp_path, text):
    tsrnn.load(archive, maps=tmp_path / "maps", **ROLES)
    next((tmp_path / "maps").glob("*/maps.json")).write_text(text)
    refused(archive, tmp_path, "maps.json is damaged; delete the folder")


def test_an_index_of_another_format_is_refused(archive, tmp_path):
    tsrnn.load(archive, maps=tmp_path / "maps", **ROLES)
    index = next((tmp_path / "maps").glob("*/maps.json"))
    index.write_text(json.dumps({**json.loads(index.read_text()), "format": 2}))
    refused(archive, tmp_path, "is of format '2', and this tsrnn reads 1")


@pytest.mark.parametrize("roles", [{"sort": True}, {"duplicates": "first"}, {"resample": "2h"}, {"fill": 2}])
def test_what_changes_rows_as_a_whole_is_refused(archive, tmp_path, roles):
    assert not refused(archive, tmp_path, f"{next(iter(roles))}= changes rows or columns as a whole", **roles)


@pytest.mark.parametrize("word", ["target", "time", "id", "past_covariates"])
def test_a_column_that_is_not_there_is_refused_before_anything_is_written(archive, tmp_path, word):
    maps = tmp_path / "maps"
    with pytest.raises(InputError, match=r"unknown column of .*archive 'widn': did you mean 'wind'"):
        tsrnn.load(archive, maps=maps, **{word: "widn"})
    assert not maps.exists() or not [*maps.iterdir()]


def test_what_is_no_parquet_is_refused(archive, tmp_path):
    (tmp_path / "table.csv").write_text("ds,y\n1,2\n")
    for place in (tmp_path / "table.csv", [archive / "0.parquet", tmp_path / "table.csv"]):
        with pytest.raises(InputError, match=r"table\.csv is no Parquet by its ending"):
            tsrnn.load(place, maps=tmp_path / "maps")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty holds no Parquet files"):
        tsrnn.load(tmp_path / "empty", maps=tmp_path / "maps")


def test_a_place_for_maps_is_a_folder_of_its_own(archive, tmp_path):
    for place in ("", ".", 3):
        with pytest.raises(InputError, match="maps takes a folder of its own"):
            tsrnn.load(archive, maps=place)
    with pytest.raises(InputError, match=r"nowhere is not there; maps= reads a Parquet file, a folder of them"):
        tsrnn.load(tmp_path / "nowhere", maps=tmp_path / "maps")
    assert not (tmp_path / "maps").exists()


def test_a_column_of_lists_is_refused(archive, tmp_path):
    table(("a",)).with_columns(pl.concat_list("y", "wind").alias("pair")).write_parquet(tmp_path / "lists.parquet")
    said = r"column 'pair' holds List\(Float64\), which maps= does not keep; drop it"
    assert not refused(tmp_path / "lists.parquet", tmp_path, said)


def test_windows_are_asked_for_before_they_are_read(archive, tmp_path, monkeypatch):
    panel = tsrnn.load(archive, maps=tmp_path / "maps", **ROLES)
    asked, real = [], pages.ask
    monkeypatch.setattr(pages, "ask", lambda file, rows, count: (asked.append((rows, count)), real(file, rows, count)))
    Forecaster("gru", **{**TASK, "max_epochs": 1}).fit(panel)
    assert asked
    assert {count for _, count in asked} == {30}


def test_a_scratch_array_is_gone_with_its_last_user(tmp_path):
    made = pages.scratch(tmp_path, (10,), np.float32)
    made[:] = 3
    assert not list(tmp_path.iterdir())
    assert pages.home(made[2:]) == tmp_path
    assert pages.name(made) is None
    address = made.__array_interface__["data"][0]
    del made
    assert pages.of_address(address) is None
