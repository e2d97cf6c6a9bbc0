"""The Python of the documents runs, block after block, and prints what stands below it."""

import re
import warnings
from pathlib import Path

import pytest

import descend as dd
from descend._rule import REGISTRY

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def registry():
    dd.list_rules()  # all of ours are in it before
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "2")
    return tmp_path


def blocks(name):
    """(language, text) of each block."""
    return BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))


def run_blocks(name, folder, capsys):
    names = {"__name__": "__main__"}
    printed = ""
    for language, text in blocks(name):
        if language == "python":
            file = re.match(r"# (\w+\.py)\n", text)
            if file:
                (folder / file[1]).write_text(text, encoding="utf-8")
            with warnings.catch_warnings():
                # a rule that a document writes as its example may be in the catalogue by now
                warnings.filterwarnings("ignore", "the rule .* takes the name")
                exec(compile(text, f"<{name}>", "exec", dont_inherit=True), names)
            printed = capsys.readouterr().out
        elif language == "text":
            assert printed == text
    return names


def test_writing_a_rule_runs(folder, registry, capsys):
    names = run_blocks("docs/writing-a-rule.md", folder, capsys)
    assert names["update"].name == "majority"


def test_minimizing_runs(folder, capsys):
    names = run_blocks("docs/minimizing.md", folder, capsys)
    assert names["r"].success


def test_the_rule_of_writing_a_rule_has_ten_lines():
    first = next(
        text for language, text in blocks("docs/writing-a-rule.md") if language == "python"
    )
    code = [line for line in first.splitlines() if line and not line.startswith("#")]
    assert len(code) <= 10


@pytest.mark.slow
def test_the_readme_runs(folder, registry, capsys):
    names = run_blocks("README.md", folder, capsys)
    assert (folder / "wine.html").stat().st_size > 1000
    assert abs(names["x"]).max() < 5


def test_every_command_of_writing_a_rule_is_one(folder):
    import shlex

    import typer

    from descend import cli

    command = typer.main.get_command(cli.app)
    lines = [line for language, text in blocks("docs/writing-a-rule.md") if language == "sh" for line in text.splitlines()]  # fmt: skip
    assert len(lines) == 5
    for line in lines:
        _, name, *arguments = shlex.split(line, comments=True)
        # read, not run
        command.commands[name].make_context(name, arguments)
