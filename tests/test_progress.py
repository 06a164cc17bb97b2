"""Progress: plain lines in a log, one bar on a terminal, never on standard output."""

from __future__ import annotations

import io

import pytest

from sim import progress
from sim.progress import reporting


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_few_lines_and_always_the_last() -> None:
    log = io.StringIO()
    with reporting("baseline", stream=log) as report:
        for day in range(1, 101):
            report(day, 100)
    assert log.getvalue().splitlines() == ["baseline: 100/100 days (100 %), 0 s"]


def test_a_log_gets_a_line_when_time_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 3))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    log = io.StringIO()
    with reporting("12 runs", stream=log) as report:
        for day in range(1, 5):
            report(day, 4, f"{day} of 4 runs")
    assert [line.split(":")[1].split(" days")[0].strip() for line in log.getvalue().splitlines()] == ["2/4", "4/4"]
    assert log.getvalue().rstrip().endswith("4 of 4 runs")


def test_a_terminal_gets_a_bar() -> None:
    screen = Terminal()
    with reporting("baseline", stream=screen) as report:
        report(5, 10, "so far so good")
        report(10, 10, "so far so good")
    assert "baseline" in screen.getvalue()
    assert "10/10" in screen.getvalue()
    assert "so far so good" in screen.getvalue()


def test_standard_output_stays_clean(capsys: pytest.CaptureFixture[str]) -> None:
    with reporting("baseline") as report:
        report(1, 1)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "1/1" in captured.err
