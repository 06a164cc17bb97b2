"""Runs asked for by a page: what is asked becomes checked overrides, what goes on is read from the job's file."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hydra
import pytest

from analysis.dashboard.app import render
from analysis.dashboard.jobs import FOLDER, Jobs, Limits, problems, read_request
from analysis.dashboard.library import Library
from analysis.dashboard.state import State, read
from sim.config.loader import _composed
from sim.errors import RunFolderError, UserError
from sim.sweep.jobfile import JobFile, read_job, write_job

ASKED = "?scenario_to_run=commission_cap&consumers=300&days=3&warmup_days=0&seeds=1"


def request_of(search: str) -> Any:
    return read_request(read("/run", search), Limits())


def wait_for(what: Callable[[], bool], seconds: float = 180.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def test_a_request_is_what_the_address_says() -> None:
    request = request_of(f"{ASKED}&levers=tariff_reduction,port_closure&tariff_reduction-points=0.1&port_closure-end=2")
    assert request.overrides == (
        "scenario=commission_cap", "population.consumers=300", "days=3", "warmup_days=0", "record=daily", "seed=0",
        "+interventions.tariff_reduction.kind=tariff_reduction", "+interventions.tariff_reduction.points=0.1",
        "+interventions.tariff_reduction.start=0", "+interventions.port_closure.kind=port_closure",
        "+interventions.port_closure.start=0", "+interventions.port_closure.end=2",
    )  # fmt: skip
    assert request.runs == 2
    assert problems(request) == ""
    assert request.name == request_of(f"{ASKED}&levers=tariff_reduction,port_closure&tariff_reduction-points=0.1"
                                      "&port_closure-end=2&lang=zh").name  # fmt: skip


def test_threads_may_ask_for_configurations_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page of runs is asked for while another thread reads the parameters: neither sees the other's Hydra."""
    started = hydra.initialize_config_dir

    def slowly(*words: str, **more: str) -> Any:
        time.sleep(0.2)
        return started(*words, **more)

    monkeypatch.setattr(hydra, "initialize_config_dir", slowly)
    _composed.cache_clear()
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(problems, [request_of(f"{ASKED}&consumers={300 + number}") for number in range(2)]))
    assert told == ["", ""]


def test_clashes_are_told_at_once() -> None:
    told = problems(request_of(f"{ASKED}&levers=commission_cap"))
    assert "clashes with interventions.cap: both set commission.cap" in told
    page = render(read("/run", f"{ASKED}&levers=commission_cap"), Library("/tmp"), Jobs(Path("/tmp")))
    assert "clashes" in str(page.children)
    assert "disabled=True" in str(page.children)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("consumers=1e9", "population.consumers=5000"), ("consumers=nan", "population.consumers=5000"),
        ("days=100000", "days=120"), ("days=$(reboot)", "days=120"), ("seeds=9999", "seed=0,1,2,3"),
        ("scenario_to_run=../../etc/passwd", "scenario=baseline"), ("scenario_to_run=a+b", "scenario=baseline"),
        ("levers=__import__,commission_cap;rm", "scenario=baseline"),
        ("levers=commission_cap&commission_cap-share=1;out=/etc", "scenario=baseline"),
        ("record=full,daily", "record=daily"),
    ],
)  # fmt: skip
def test_what_is_out_of_bounds_is_not_asked(said: str, kept: str) -> None:
    overrides = request_of(f"?{said}").overrides
    assert kept in overrides
    assert not any(mark in text for text in overrides for mark in ("$", ";", "/", "__", "nan"))


def test_many_levers_are_cut_to_the_limit() -> None:
    names = "ad_disclosure,ai_translation,cash_payment,commission_cap,drone_delivery,faster_payout,prime_fulfilment"
    assert len(request_of(f"?levers={names}").levers) == Limits().levers


def test_a_job_file_tells_a_killed_process_from_one_at_work(tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    write_job(file, {"state": "running", "asked": 0.0, "overrides": []})
    assert read_job(file)["state"] == "stopped"
    with JobFile(file).working():
        found = read_job(file)
        assert (found["state"], found["alive"], found["process"]) == ("running", True, os.getpid())
        with pytest.raises(RunFolderError, match="another process"), JobFile(file).working():
            pass
    assert read_job(file)["state"] == "done"
    with pytest.raises(ValueError, match="torn"), JobFile(file).working():
        raise ValueError("torn")
    assert (read_job(file)["state"], read_job(file)["error"]) == ("failed", "torn")
    with pytest.raises(KeyboardInterrupt), JobFile(file).working():
        raise KeyboardInterrupt
    assert read_job(file)["state"] == "cancelled"
    file.write_text("{")
    with pytest.raises(RunFolderError, match="no job file"):
        read_job(file)


def test_no_more_jobs_than_allowed_and_none_by_a_foreign_name(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    file = tmp_path / FOLDER / "busy.json"
    write_job(file, {"state": "running", "asked": 1.0, "overrides": []})
    jobs = Jobs(tmp_path)
    with JobFile(file).working():
        with pytest.raises(UserError, match="busy is at work"):
            jobs.start(request_of(ASKED))
        assert [job["state"] for job in jobs.all()] == ["running"]
    for name in ("../busy", "", "other"):
        with pytest.raises(UserError, match="there is no job"):
            jobs.cancel(name)
        with pytest.raises(UserError, match="there is no job"):
            jobs.again(name)
    assert sorted(path.name for path in (tmp_path / FOLDER).glob("[!.]*")) == ["busy.json"]


def test_a_job_outlives_its_server_is_killed_goes_on_and_is_cancelled(tmp_path: Path) -> None:
    """Started by one server, found by the next; killed, it says so; started again, it is at work until cancelled."""
    name = Jobs(tmp_path).start(request_of(ASKED))
    after = Jobs(tmp_path)  # another server over the same folder: it has nothing but the file
    wait_for(lambda: after.all()[0]["state"] == "running")
    os.kill(after.all()[0]["process"], signal.SIGKILL)
    wait_for(lambda: after.all()[0]["state"] == "stopped")
    after.again(name)
    wait_for(lambda: after.all()[0]["state"] == "running" and "runs" in after.all()[0])
    after.cancel(name)
    wait_for(lambda: after.all()[0]["state"] == "cancelled")
    said = json.loads((tmp_path / FOLDER / f"{name}.json").read_text())
    assert said["overrides"] == list(request_of(ASKED).overrides)


@pytest.mark.long
def test_a_job_ends_and_can_be_compared(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    name = jobs.start(request_of(ASKED))
    wait_for(lambda: jobs.all()[0]["state"] in ("done", "failed"), 900.0)
    job = jobs.all()[0]
    told = (tmp_path / FOLDER / f"{name}.log").read_text()
    assert (job["state"], job["ended"], job["runs"]) == ("done", 2, 2), told
    library = Library(tmp_path)
    library.open(name, wait=True)
    page = render(State("compare", {"study": name}), library)
    assert {row["scenario"] for row in page.data()} == {"commission_cap"}
