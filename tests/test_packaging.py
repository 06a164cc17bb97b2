"""What a newcomer meets: the lock file, the commands, and a README whose commands are true."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml

from sim.__main__ import COMMANDS
from sim.experiment import configure
from tools.check_lock import foreign_hosts

ROOT = Path(__file__).parents[1]


def blocks(language: str) -> list[str]:
    """The README's code blocks in one language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def commands() -> list[list[str]]:
    """Every `livecommerce` command of the README, split as a shell would, up to a pipe."""
    text = "\n".join(blocks("sh")).replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.startswith("livecommerce ")]
    return [shlex.split(line.split("|")[0], comments=True)[1:] for line in lines]


def test_the_lock_names_only_the_public_index() -> None:
    assert foreign_hosts((ROOT / "uv.lock").read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    "line", ['url = "https://example.org/x.whl"', 'registry = "http://user@mirror.example/simple"']
)
def test_another_host_in_the_lock_is_found(line: str) -> None:
    assert len(foreign_hosts(line)) == 1


def test_the_makefile_has_every_promised_target() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("install", "demo", "test", "test-long", "bench", "evidence", "lint"):
        assert re.search(rf"^{target}:", text, re.MULTILINE), target


def test_the_package_asks_for_the_python_the_checkout_pins() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
    assert project["requires-python"] == f">={pinned}"
    assert project["scripts"] == {"livecommerce": "sim.__main__:main"}


def test_the_citation_names_the_version_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"] == "Apache-2.0"


def test_every_command_of_the_readme_exists_and_every_configuration_in_it_is_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (scenario,) = blocks("yaml")
    file = re.match(r"# (scenarios/\w+\.yaml)\n", scenario)
    assert file is not None
    (tmp_path / file[1]).parent.mkdir()
    (tmp_path / file[1]).write_text(scenario)
    found = commands()
    assert {words[0] for words in found} >= {"run", "scenarios", "interventions", "show", "metrics", "compare"}
    for words in found:
        assert words[0] in COMMANDS
        if words[0] in ("run", "show"):
            configure(overrides=[word for word in words[1:] if "=" in word])


def test_what_the_readme_writes_is_ignored_by_git() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    written = [
        words[words.index(option) + 1] for words in commands() for option in ("--out", "--report") if option in words
    ]
    assert len(written) >= 4
    for path in written:
        assert f"{Path(path).parts[0]}/" in ignored, path


def test_runs_of_the_readme_are_compared_under_names_of_their_own() -> None:
    """Each run that is compared exists by then, and two of one scenario do not go by one name."""
    made: dict[str, str] = {}
    sweeps = [words[words.index("--out") + 1] for words in commands() if words[0] == "sweep"]
    for words in commands():
        if words[0] == "run":
            named = [word.removeprefix("scenario=") for word in words if word.startswith("scenario=")]
            made[words[words.index("--out") + 1]] = (named or ["baseline"])[0]
        if words[0] == "compare" and words[1] not in sweeps:
            names = []
            for word in words[1 : words.index("--report")]:
                name, sign, folder = word.rpartition("=")
                names.append(name if sign else made[folder])
            assert len(set(names)) == len(names) >= 2
            assert "baseline" in names


def test_links_of_the_readme_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"(?<!!)\[[^\]]*\]\((?!http)([^)#]+)\)", text):
        assert (ROOT / target).exists(), target
