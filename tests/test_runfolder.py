"""A run's folder is complete or absent, and what is not this run is never touched."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from pathlib import Path

import pytest

from sim import runfolder
from sim.errors import RunFolderError
from sim.runfolder import DONE, RUN_JSON, Identity, is_done, read_run_json, writing

ME = Identity(config="c" * 64, code="k" * 64, record="daily")


def write(out: Path, me: Identity = ME, text: str = "table") -> None:
    assert not is_done(out, me)
    with writing(out) as folder:
        (folder / "table.parquet").write_text(text)
        facts = {"config_hash": me.config, "code_hash": me.code, "record": me.record, "scenario": "baseline"}
        (folder / RUN_JSON).write_text(json.dumps(facts))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_run_is_written_and_recognised(tmp_path: Path) -> None:
    out = tmp_path / "run"
    write(out)
    assert names(out) == {"table.parquet", RUN_JSON, DONE}
    assert names(tmp_path) == {"run"}
    assert is_done(out, ME)
    assert read_run_json(out)["record"] == "daily"


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    write(out)
    assert is_done(out, ME)


@pytest.mark.parametrize(("asked", "done"), [("summary", True), ("daily", True), ("full", False)])
def test_a_lower_record_level_is_run_again_and_replaced(tmp_path: Path, asked: str, done: bool) -> None:
    out = tmp_path / "run"
    write(out)
    me = Identity(ME.config, ME.code, asked)
    assert is_done(out, me) is done
    if not done:
        write(out, me, "more")
        assert (out / "table.parquet").read_text() == "more"
        assert names(tmp_path) == {"run"}


@pytest.mark.parametrize("other", [Identity("d" * 64, ME.code, "daily"), Identity(ME.config, "x" * 64, "daily")])
def test_another_run_is_left_alone(tmp_path: Path, other: Identity) -> None:
    out = tmp_path / "run"
    write(out)
    with pytest.raises(RunFolderError, match="left as it is"):
        is_done(out, other)
    assert (out / "table.parquet").read_text() == "table"


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("words")
    with pytest.raises(RunFolderError, match="not a finished run"):
        is_done(tmp_path, ME)
    assert names(tmp_path) == {"thesis.txt"}


def test_a_file_in_the_folders_place(tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.write_text("words")
    with pytest.raises(RunFolderError, match="is a file"):
        is_done(out, ME)
    with pytest.raises(RunFolderError, match="is not a folder"):
        is_done(out / "below", ME)


def test_missing_parents_are_made_when_the_run_is_written(tmp_path: Path) -> None:
    out = tmp_path / "no" / "where" / "run"
    assert not is_done(out, ME)
    assert names(tmp_path) == set()
    with writing(out) as folder:
        (folder / RUN_JSON).write_text("{}")
    assert (out / DONE).is_file()


def test_a_parent_that_cannot_be_made(tmp_path: Path) -> None:
    with (
        pytest.raises(RunFolderError, match=r"its parent /proc/no/where cannot be made"),
        writing(Path("/proc/no/where/run")),
    ):
        pytest.fail("there is nowhere to write")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(RunFolderError, match="link is not a folder"):
        is_done(tmp_path / "link" / "deep" / "run", ME)


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(ZeroDivisionError), writing(out) as folder:
        (folder / "half").write_text("half")
        _ = 1 / 0
    assert names(tmp_path) == set()


def test_a_full_disk_is_told_in_words_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="could not be written"), writing(tmp_path / "run") as folder:
        (folder / "half").write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert names(tmp_path) == set()


def test_a_library_s_words_around_a_full_disk_are_left_out(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"could not be written \(No space left"), writing(tmp_path / "run"):
        raise OSError(errno.ENOSPC, "Error writing bytes to file. Detail: [errno 28] No space left on device")


@pytest.mark.parametrize("function", ["fsync", "rename"])
@pytest.mark.parametrize("lower_level_there", [False, True])
def test_no_step_of_the_commit_can_leave_a_torn_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, lower_level_there: bool
) -> None:
    """Let the n-th fsync or rename fail, for every n: the folder is the old run, the new one, or not there."""
    real = getattr(os, function)
    me = Identity(ME.config, ME.code, "full")
    for fail_at in range(20):
        out = tmp_path / f"run-{fail_at}"
        if lower_level_there:
            write(out, Identity(ME.config, ME.code, "summary"), "old")
        calls = 0

        def failing(*arguments: object, limit: int = fail_at) -> object:
            nonlocal calls
            calls += 1
            if calls == limit + 1:
                raise OSError(errno.EIO, "broken")
            return real(*arguments)

        monkeypatch.setattr(os, function, failing)
        failed = False
        try:
            write(out, me, "new")
        except RunFolderError:
            failed = True
        monkeypatch.setattr(os, function, real)
        done = is_done(out, me)  # also puts back a run whose replacement was cut short
        if out.exists():
            assert names(out) == {"table.parquet", RUN_JSON, DONE}
            assert (out / "table.parquet").read_text() == ("new" if done else "old")
        assert out.exists() or not lower_level_there
        assert not list(tmp_path.glob(f".{out.name}.tmp-*"))
        if not failed:
            assert done
            return
    pytest.fail("the commit never succeeded")


def test_the_leftovers_of_a_dead_driver_are_removed_and_those_of_a_live_one_kept(tmp_path: Path) -> None:
    out = tmp_path / "run"
    dead, alive = tmp_path / ".run.tmp-1-dead", tmp_path / ".run.tmp-2-alive"
    for folder in (dead, alive):
        folder.mkdir()
        (folder / ".lock").touch()
        old = time.time() - 2 * runfolder.YOUNG_SECONDS
        os.utime(folder / ".lock", (old, old))
    with (alive / ".lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(RunFolderError, match="process 2 is writing a run there"):
            write(out)
        assert names(tmp_path) == {alive.name}
    write(out)
    assert names(tmp_path) == {"run"}


def test_a_run_that_was_written_meanwhile_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(RunFolderError, match="written by another process meanwhile"), writing(out):
        out.mkdir()
        (out / "thesis.txt").write_text("words")
    assert names(tmp_path) == {"run"}
    assert names(out) == {"thesis.txt"}


@pytest.mark.parametrize("letters", [201, 255, 256, 300, 5000])
def test_a_name_that_no_disk_takes(tmp_path: Path, letters: int) -> None:
    with pytest.raises(RunFolderError, match=f"name has {letters} bytes; at most 200"):
        is_done(tmp_path / ("x" * letters), ME)
    with pytest.raises(RunFolderError, match=r"does not exist|cannot be used"):
        is_done(tmp_path / ("x" * 300) / "run", ME)
    assert names(tmp_path) == set()


def test_links_and_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "target").mkdir()
    for name, to, words in (
        ("link", "target", "is a link to"),
        ("lost", "nowhere", "leads nowhere"),
        ("loop", "loop", "leads nowhere"),
    ):
        (tmp_path / name).symlink_to(to)
        with pytest.raises(RunFolderError, match=words):
            is_done(tmp_path / name, ME)
    monkeypatch.chdir(tmp_path / "target")
    with pytest.raises(RunFolderError, match="the folder you are in"):
        is_done(Path.cwd(), ME)


@pytest.mark.parametrize("broken", ["{", "[]"])
def test_a_damaged_run_json_is_told(tmp_path: Path, broken: str) -> None:
    (tmp_path / DONE).touch()
    (tmp_path / RUN_JSON).write_text(broken)
    with pytest.raises(RunFolderError, match=RUN_JSON):
        read_run_json(tmp_path)
