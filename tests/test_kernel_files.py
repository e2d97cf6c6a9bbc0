"""Kernel files: whatever happens to them, a step gives the right numbers."""

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import descend as dd
from descend._compile import kernels

SOURCE = """
import sys
import numpy as np
import descend as dd
x = np.array([1.0, -2.0, 3.0])
s = dd.Stepper(dd.{rule}, x)
s.step(2 * x)
print(x.tolist(), "numba" in sys.modules)
"""
EXPECTED = "[0.5, -1.0, 1.5]"


def process(rule="sgd(lr=0.25)", environment=None, source=SOURCE, cwd=None):
    """What a fresh process prints; it must end well and silently."""
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **(environment or {})}
    ended = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", source.format(rule=rule)],
        env={k: v for k, v in variables.items() if v is not None},
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    return ended.stdout.strip()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache, and a process that has loaded no kernel."""
    monkeypatch.setenv("DESCEND_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(kernels, "_loaded", {})
    return tmp_path / "kernels"


def forget():
    kernels._loaded.clear()


def count_compilations(monkeypatch):
    from descend._compile import to_numba

    calls, original = [], to_numba.compile_object

    def compile_object(*arguments):
        calls.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(to_numba, "compile_object", compile_object)
    return calls


def step():
    x = np.array([1.0, -2.0, 3.0])
    dd.Stepper(dd.sgd(lr=0.25), x).step(2 * x)
    assert x.tolist() == [0.5, -1.0, 1.5]


def only_file(folder):
    (path,) = folder.iterdir()
    return path


def test_a_kernel_is_compiled_once_and_then_read(folder, monkeypatch):
    calls = count_compilations(monkeypatch)
    for _ in range(3):
        forget()
        step()
    assert len(calls) == 1
    path = only_file(folder)
    assert path.suffix == ".kernel"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def sealed(key, payload):
    """A file whose checksum fits: what only a faulty writer could make."""
    return hashlib.sha256(key.encode() + payload).digest() + payload


HEAD = 32 + len(kernels._FORMAT)
DAMAGE = {
    "empty": lambda c, key: b"",
    "one byte": lambda c, key: b"\x00",
    "half a checksum": lambda c, key: c[:16],
    "a checksum alone": lambda c, key: c[:32],
    "no code": lambda c, key: c[:HEAD],
    "truncated by one byte": lambda c, key: c[:-1],
    "truncated in the middle": lambda c, key: c[: len(c) // 2],
    "longer": lambda c, key: c + b"\x00",
    "garbage": lambda c, key: bytes(range(256)) * 20,
    "zeros": lambda c, key: bytes(len(c)),
    "a flipped bit in the checksum": lambda c, key: bytes([c[0] ^ 1]) + c[1:],
    "a flipped bit in the code": lambda c, key: c[:-100] + bytes([c[-100] ^ 4]) + c[-99:],
    "another format": lambda c, key: sealed(key, b"descend kernel 0\n" + c[HEAD:]),
    "another symbol": lambda c, key: sealed(
        key, c[32:HEAD] + b"nothing\n" + c[HEAD:].partition(b"\n")[2]
    ),
    "a symbol that is no text": lambda c, key: sealed(
        key, c[32:HEAD] + b"\xff\xfe\n" + c[HEAD:].partition(b"\n")[2]
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_file_is_made_again(case, folder, monkeypatch):
    step()
    path = only_file(folder)
    content = path.read_bytes()
    path.write_bytes(DAMAGE[case](content, path.stem))
    forget()
    calls = count_compilations(monkeypatch)
    step()
    assert len(calls) == 1
    forget()
    step()
    assert len(calls) == 1  # and the new file is good
    assert only_file(folder) == path


def test_every_flipped_bit_is_noticed(folder):
    step()
    path = only_file(folder)
    content = path.read_bytes()
    for place in np.random.default_rng(0).integers(0, len(content), 300):
        path.write_bytes(content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :])
        assert kernels._read(path.stem) is None
    path.write_bytes(content)
    assert kernels._read(path.stem) is not None


def test_a_file_under_another_kernels_name_is_not_used(folder, monkeypatch):
    """Both are whole; only the name is wrong."""
    step()
    sgd = only_file(folder)
    x = np.zeros(1)
    dd.Stepper(dd.chain(dd.clip_value(0.5), dd.sgd()), x).step(np.ones(1))
    (other,) = set(folder.iterdir()) - {sgd}
    sgd.write_bytes(other.read_bytes())
    forget()
    step()


def test_a_folder_in_the_place_of_a_file_costs_a_compilation(folder, monkeypatch):
    step()
    path = only_file(folder)
    path.unlink()
    path.mkdir()
    for _ in range(2):
        forget()
        step()
    assert only_file(folder) == path  # and no temporary file stays behind


def test_a_cache_that_is_a_file_costs_a_compilation(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    for place in (blocked, blocked / "below"):  # below a file nobody, not even root, makes a folder
        monkeypatch.setenv("DESCEND_CACHE_DIR", str(place))
        monkeypatch.setattr(kernels, "_loaded", {})
        assert kernels.cache_folder() is None
        step()
    assert blocked.read_text() == ""


def test_a_disk_that_takes_no_file_costs_a_compilation(folder, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kernels.tempfile, "NamedTemporaryFile", full)
    step()
    assert list(folder.iterdir()) == []


def test_a_disk_that_fills_while_writing_keeps_no_half_file(folder, monkeypatch):
    original = kernels.tempfile.NamedTemporaryFile

    def filling(*arguments, **settings):
        file = original(*arguments, **settings)
        write = file.write

        def half(data):
            write(data[: len(data) // 2])
            raise OSError(28, "No space left on device")

        file.write = half
        return file

    monkeypatch.setattr(kernels.tempfile, "NamedTemporaryFile", filling)
    step()
    assert list(folder.iterdir()) == []


def test_no_home_folder_costs_a_compilation(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("DESCEND_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.setattr(kernels, "_loaded", {})
    assert kernels.cache_folder() is None
    step()


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({"DESCEND_CACHE_DIR": "given"}, "given/kernels"),
        ({"XDG_CACHE_HOME": "xdg"}, "xdg/descend/kernels"),
        ({"HOME": "home"}, "home/.cache/descend/kernels"),
        ({"DESCEND_CACHE_DIR": "given", "XDG_CACHE_HOME": "xdg", "HOME": "home"}, "given/kernels"),
        (
            {"DESCEND_CACHE_DIR": "", "XDG_CACHE_HOME": "", "HOME": "home"},
            "home/.cache/descend/kernels",
        ),
    ],
)
def test_the_folder_follows_the_environment(environment, place, tmp_path, monkeypatch):
    for name in ("DESCEND_CACHE_DIR", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, str(tmp_path / value) if value else "")
    assert kernels.cache_folder() == tmp_path / place
    assert (tmp_path / place).is_dir()


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_that_others_may_write_is_not_used(mode, folder):
    folder.mkdir(parents=True)
    folder.chmod(mode)
    assert kernels.cache_folder() is None
    step()
    assert list(folder.iterdir()) == []


def test_a_folder_of_another_user_is_not_used(folder, monkeypatch):
    folder.mkdir(parents=True, mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    assert kernels.cache_folder() is None


def test_what_the_code_depends_on_is_in_the_key(monkeypatch):
    base = kernels._key("source", "float64", False)
    others = {
        kernels._key("source ", "float64", False),
        kernels._key("source", "float32", False),
        kernels._key("source", "float64", True),
    }
    for change in ("9.9", "other"):
        kernels._platform.cache_clear()
        if change == "9.9":
            monkeypatch.setattr(kernels.importlib.metadata, "version", lambda _: "9.9")
        else:
            monkeypatch.setattr(kernels.llvm, "get_host_cpu_name", lambda: "other")
        others.add(kernels._key("source", "float64", False))
    monkeypatch.undo()
    kernels._platform.cache_clear()
    assert len(others | {base}) == 6
    assert kernels._key("source", "float64", False) == base


def test_another_numba_compiles_its_own(folder, monkeypatch):
    step()
    first = only_file(folder)
    monkeypatch.setattr(kernels, "_platform", lambda: "another numba")
    forget()
    step()
    assert len(set(folder.iterdir()) - {first}) == 1


@pytest.mark.parametrize(
    "rule",
    [
        "sgd(lr=0.25)",
        "chain(dd.clip_norm(1e6), dd.sgd(lr=0.25))",  # with a measuring kernel
    ],
)
def test_a_warm_process_does_not_wake_numba(rule, tmp_path):
    environment = {"DESCEND_CACHE_DIR": str(tmp_path)}
    assert process(rule, environment) == f"{EXPECTED} True"
    assert process(rule, environment) == f"{EXPECTED} False"


WORDS = """
import sys
import numpy as np
import descend as dd
from descend.domains import Positive
from descend.ops import exp, log, maximum, minimum, sign, sqrt, where

@dd.rule
def {rule}(x, g, *, lr: Positive = 1.0):
    y = exp(g) + log(g) + sqrt(g) + sign(g) + g**3 + g**-0.5 + 2.0**g + abs(-g)
    return x - lr * (y + where(g > 0, minimum(g, 9.0), maximum(g, 7.0)))

for dtype in (np.float32, np.float64):
    x = np.zeros(40, dtype)
    dd.Stepper({rule}, x).step(np.full(40, 4.0))
    error = abs(x / -(np.exp(4.0) + np.log(4.0) + 2 + 1 + 64 + 0.5 + 16 + 4 + 4) - 1).max()
    print(bool(error < 8 * np.finfo(dtype).eps), "numba" in sys.modules)
"""


def test_kernel_files_need_nothing_of_numba_for_any_word(tmp_path):
    """A file that called one of Numba's own helper functions could not be linked without it."""
    environment = {"DESCEND_CACHE_DIR": str(tmp_path)}
    script = tmp_path / "words.py"  # a rule's source must be somewhere
    script.write_text(WORDS.format(rule="words"))
    run = "import runpy; runpy.run_path(" + repr(str(script)) + ")"
    assert process(environment=environment, source=run).splitlines() == ["True True"] * 2
    assert process(environment=environment, source=run).splitlines() == ["True False"] * 2


def test_processes_that_start_at_once_agree(tmp_path):
    variables = {
        **os.environ,
        "DESCEND_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SOURCE.format(rule="sgd(lr=0.25)")],
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for one in running:
        out, err = one.communicate(timeout=120)
        assert one.returncode == 0, err
        assert out.startswith(EXPECTED)
    assert len(list((tmp_path / "kernels").iterdir())) == 1


def test_a_forked_child_steps_on_its_own_threads():
    code = """
import os
import numpy as np
import descend as dd
x = np.ones(400_000)
s = dd.Stepper(dd.{rule}, x, threads=2)
s.step(x)
child = os.fork()
s.step(x)
assert (x == 0.5625).all()
if child == 0:
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    ended = subprocess.run(
        [sys.executable, "-c", code.format(rule="sgd(lr=0.25)")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.stdout.strip() == "0", ended.stderr


def test_a_fork_in_the_middle_of_a_compilation_leaves_a_child_that_compiles(tmp_path):
    code = """
import os, threading, time
import numpy as np
import descend as dd
from descend._compile import to_numba
started, original = threading.Event(), to_numba.compile_object
def slow(*arguments):
    started.set()
    time.sleep(0.3)
    return original(*arguments)
to_numba.compile_object = slow
other = threading.Thread(target=lambda: dd.Stepper(dd.sgd(), np.ones(3)))
other.start()
started.wait()
child = os.fork()
x = np.ones(3)
dd.Stepper(dd.lion(lr=0.25), x).step(x)
assert (x == 0.75).all()
if child == 0:
    os._exit(0)
other.join()
for _ in range(300):
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        break
    time.sleep(0.1)
else:
    os.kill(child, 9)
    os.waitpid(child, 0)
print(done == child and os.waitstatus_to_exitcode(status))
"""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "DESCEND_CACHE_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.stdout.strip() == "0", ended.stderr
