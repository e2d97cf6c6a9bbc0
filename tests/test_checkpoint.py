"""Checkpoints: bit for bit at any step, by name, whole or not at all, never silently different."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import warnings
import zipfile

import numpy as np
import pytest

import descend as dd
from descend.errors import CheckpointError, ShapeError

OURS = dd.list_rules()


def gradients(count, seed=0, shape=(7,), dtype=np.float64):
    return np.random.default_rng(seed).standard_normal((count, *shape)).astype(dtype)


def same(a, b):
    assert a.t == b.t
    for left, right in [(a.x, b.x), *((a.state[k], b.state[k]) for k in a.state)]:
        left, right = np.asarray(left), np.asarray(right)
        assert left.dtype == right.dtype
        assert left.tobytes() == right.tobytes()


def needs_value(name):
    return "value" in dd.find_rule(name).fresh


@pytest.mark.parametrize("name", OURS)
def test_a_loaded_run_continues_bit_for_bit(name, tmp_path):
    tape = gradients(12)
    whole = dd.Stepper(dd.find_rule(name), np.linspace(-1, 1, 7))
    first = dd.Stepper(dd.find_rule(name), np.linspace(-1, 1, 7))
    told = {"value": 1.0} if needs_value(name) else {}
    for g in tape:
        whole.step(g, **told)
    for g in tape[:5]:
        first.step(g, **told)
    first.save(tmp_path / "run.ckpt")
    second = dd.Stepper.load(tmp_path / "run.ckpt")
    same(second, first)
    for g in tape[5:]:
        second.step(g, **told)
    same(second, whole)


@pytest.mark.parametrize("at", range(6))
def test_schedules_chains_and_dicts_continue_at_any_step(at, tmp_path):
    rule = dd.chain(dd.clip_norm(1.0), dd.decay(0.1), dd.adam(lr=dd.cosine(0.1, steps=6, warmup=2)))
    start = lambda: {"w": np.ones((2, 3), np.float32), "b": np.zeros(3)}
    tape = [
        {"w": w, "b": b} for w, b in zip(gradients(6, 0, (2, 3), np.float32), gradients(6, 1, (3,)))
    ]
    whole, part = dd.Stepper(rule, start()), dd.Stepper(rule, start())
    for g in tape:
        whole.step(g)
    for g in tape[:at]:
        part.step(g)
    part.save(tmp_path / "c")
    part = dd.Stepper.load(tmp_path / "c")
    assert part.rule == rule
    for g in tape[at:]:
        part.step(g)
    for key in ("w", "b"):
        assert part.x[key].tobytes() == whole.x[key].tobytes()
        assert part.x[key].dtype == whole.x[key].dtype


@pytest.mark.parametrize(
    "x",
    [
        np.array(3.0),
        np.empty(0),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(10.0)[::2],
    ],
)
def test_any_layout_is_saved(x, tmp_path):
    s = dd.Stepper(dd.momentum(lr=0.1), x)
    s.step(np.ones(x.shape))
    s.save(tmp_path / "c")
    loaded = dd.Stepper.load(tmp_path / "c")
    assert loaded.x.shape == x.shape
    np.testing.assert_array_equal(loaded.x, x)
    np.testing.assert_array_equal(loaded.state["v"], np.ones(x.shape))


def test_special_numbers_keep_their_bits(tmp_path):
    x = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324])
    dd.Stepper(dd.sgd, x).save(tmp_path / "c")
    assert dd.Stepper.load(tmp_path / "c").x.tobytes() == x.tobytes()


def test_parameters_are_loaded_into_given_arrays(tmp_path):
    s = dd.Stepper(dd.adam, {"w": np.ones(3), "b": np.zeros(2)})
    s.step({"w": np.ones(3), "b": np.ones(2)})
    s.save(tmp_path / "c")
    own = {"w": np.empty(3), "b": np.empty(2)}
    loaded = dd.Stepper.load(tmp_path / "c", x=own)
    assert loaded.x is own
    np.testing.assert_array_equal(own["w"], s.x["w"])


MISFITS = {
    "swapped names": (
        {"b": np.empty(2), "w": np.empty(3)},
        r"names \['w', 'b'\], in this order; got \['b', 'w'\]",
    ),
    "another name": ({"w": np.empty(3), "c": np.empty(2)}, r"got \['w', 'c'\]"),
    "a missing name": ({"w": np.empty(3)}, r"got \['w'\]"),
    "swapped shapes": (
        {"w": np.empty(2), "b": np.empty(3)},
        r"x\['w'\] of .* must be float64 of shape \(3,\)",
    ),
    "another dtype": (
        {"w": np.empty(3), "b": np.empty(2, np.float32)},
        r"x\['b'\] of .* got float32",
    ),
    "a list": ([np.empty(3), np.empty(2)], "must have the names"),
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_parameters_that_do_not_fit_are_an_error_and_stay_untouched(misfit, tmp_path):
    dd.Stepper(dd.adam, {"w": np.ones(3), "b": np.zeros(2)}).save(tmp_path / "c")
    x, message = MISFITS[misfit]
    before = [a.copy() for a in (x.values() if isinstance(x, dict) else x)]
    with pytest.raises(CheckpointError, match=message):
        dd.Stepper.load(tmp_path / "c", x=x)
    for a, b in zip(x.values() if isinstance(x, dict) else x, before):
        assert a.tobytes() == b.tobytes()


def test_another_rule_or_setting_is_an_error(tmp_path):
    dd.Stepper(dd.adam(lr=0.1), np.ones(2)).save(tmp_path / "c")
    with pytest.raises(CheckpointError, match=r"must be adam:lr=0\.1; got adam:lr=0\.2\."):
        dd.Stepper.load(tmp_path / "c", rule=dd.adam(lr=0.2))
    assert dd.Stepper.load(tmp_path / "c", rule=dd.adam(lr=0.1)).t == 0


def test_a_schedule_of_ones_own_is_passed_again(tmp_path):
    rule = dd.sgd(lr=falling)
    s = dd.Stepper(rule, np.ones(2))
    s.step(np.ones(2))
    s.save(tmp_path / "c")
    with pytest.raises(CheckpointError, match="pass rule="):
        dd.Stepper.load(tmp_path / "c")
    loaded = dd.Stepper.load(tmp_path / "c", rule=rule)
    loaded.step(np.ones(2))
    s.step(np.ones(2))
    same(loaded, s)


def falling(t):
    return 1.0 / t


def test_the_previous_checkpoint_is_kept_and_used(tmp_path):
    path = tmp_path / "c"
    s = dd.Stepper(dd.sgd(lr=1.0), np.zeros(2))
    for _ in range(3):
        s.step(np.ones(2))
        s.save(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.warns(UserWarning, match="is used"):
        loaded = dd.Stepper.load(path)
    assert loaded.t == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c", "c.previous"]


@pytest.mark.parametrize("content", [b"", b"x", b"PK\x03\x04" + b"\0" * 50, b"\x80\x04K\x01."])
def test_what_is_no_checkpoint_is_refused_by_name(content, tmp_path):
    (tmp_path / "c").write_bytes(content)
    with pytest.raises(CheckpointError, match=f"{tmp_path / 'c'}"):
        dd.Stepper.load(tmp_path / "c")


def test_missing_files_and_folders_are_named(tmp_path):
    with pytest.raises(CheckpointError, match="No such file"):
        dd.Stepper.load(tmp_path / "none")
    with pytest.raises(CheckpointError, match="must be a file that can be written"):
        dd.Stepper(dd.sgd, np.ones(1)).save(tmp_path / "no" / "c")
    with pytest.raises(CheckpointError):
        dd.Stepper.load(tmp_path)


def test_a_zip_bomb_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "c", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__description__.npy", b"\0" * 10_000_000)
    with pytest.raises(CheckpointError, match="compressed"):
        dd.Stepper.load(tmp_path / "c")


def test_a_pickled_array_is_not_unpickled(tmp_path):
    np.savez(tmp_path / "c.npz", __description__=np.array([print], dtype=object))
    with pytest.raises(CheckpointError):
        dd.Stepper.load(tmp_path / "c.npz")


@pytest.mark.parametrize("keys", [(1, "1"), (None,), (("a", 1),), ("a\0b",), (True,)])
def test_keys_that_would_not_come_back_are_refused(keys, tmp_path):
    s = dd.Stepper(dd.sgd, {key: np.ones(1) for key in keys})
    with pytest.raises(CheckpointError, match="different str or int"):
        s.save(tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["a/b", "../up", "é 漢", "x", "", " ", 'q"', "a" * 300, -5])
def test_odd_keys_come_back(key, tmp_path):
    s = dd.Stepper(dd.adam, {key: np.ones(1), "other": np.zeros(1)})
    s.step({key: np.ones(1), "other": np.ones(1)})
    s.save(tmp_path / "c")
    same_dict = dd.Stepper.load(tmp_path / "c").state["m"]
    assert same_dict == s.state["m"]


def mutants(content, count, rng):
    for _ in range(count):
        data = bytearray(content)
        match rng.randrange(4):
            case 0:
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            case 1:
                del data[rng.randrange(len(data)) :]
            case 2:
                at = rng.randrange(len(data))
                data[at : at + rng.randrange(1, 40)] = rng.randbytes(rng.randrange(40))
            case 3:
                i, j = sorted(rng.randrange(len(data)) for _ in range(2))
                data[i:j] = data[i:j][::-1]
        yield bytes(data)


@pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.slow)])
def test_no_damaged_file_loads_silently_different(count, tmp_path):
    s = dd.Stepper(dd.adam, {"w": gradients(1, 3)[0], "b": np.ones(3, np.float32)})
    s.step({"w": gradients(1)[0], "b": np.ones(3, np.float32)})
    s.save(tmp_path / "c")
    content = (tmp_path / "c").read_bytes()
    refused = 0
    for mutant in mutants(content, count, random.Random(0)):
        (tmp_path / "m").write_bytes(mutant)
        try:
            loaded = dd.Stepper.load(tmp_path / "m")
        except CheckpointError:
            refused += 1
            continue
        assert loaded.t == s.t
        assert loaded.rule == s.rule
        for key in ("w", "b"):
            assert loaded.x[key].tobytes() == s.x[key].tobytes()
            assert loaded.state["m"][key].tobytes() == s.state["m"][key].tobytes()
            assert loaded.state["v"][key].tobytes() == s.state["v"][key].tobytes()
    # what is left are bytes of the zip format that nobody reads: dates, attributes
    assert refused > 0.8 * count


WRITER = """
import sys, numpy as np, descend as dd
s = dd.Stepper(dd.adam(lr=0.1), np.zeros(20_000))
g = np.ones(20_000)
print("ready", flush=True)
while True:
    s.step(g)
    s.save(sys.argv[1])
"""


@pytest.mark.parametrize("kills", [4, pytest.param(100, marks=pytest.mark.slow)])
def test_a_run_killed_at_any_moment_leaves_a_whole_checkpoint(kills, tmp_path):
    rng, path = random.Random(1), tmp_path / "c"
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE
        )
        assert process.stdout.readline() == b"ready\n"
        time.sleep(rng.uniform(0.02, 0.15))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if not path.exists():
            continue  # killed before the first save
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            loaded = dd.Stepper.load(path)
        x = np.zeros(20_000)
        again = dd.Stepper(dd.adam(lr=0.1), x)
        for _ in range(loaded.t):
            again.step(np.ones(20_000))
        assert loaded.x.tobytes() == x.tobytes()


def test_the_file_opens_in_numpy_and_names_its_arrays(tmp_path):
    dd.Stepper(dd.adam, {"w": np.ones(3)}).save(tmp_path / "c.npz")
    with np.load(tmp_path / "c.npz") as archive:
        assert set(archive.files) == {"__description__", "x/w", "m/w", "v/w"}
        text = archive["__description__"].tobytes().partition(b"\n")[2]
    assert json.loads(text)["values"]["rule"] == "adam"


OWN_SCHEDULE = """
import sys, numpy as np, descend as dd

def halving(t):
    return 0.5**t

rule = dd.sgd(lr=halving)
if sys.argv[1] == "save":
    s = dd.Stepper(rule, np.ones(2))
    s.step(np.ones(2))
    s.save(sys.argv[2])
else:
    s = dd.Stepper.load(sys.argv[2], rule=rule)
    s.step(np.ones(2))
    print(s.t, s.x.tolist())
"""


def test_a_schedule_of_ones_own_goes_on_in_another_process(tmp_path):
    script = tmp_path / "own.py"
    script.write_text(OWN_SCHEDULE)
    for what in ("save", "load"):
        ran = subprocess.run(
            [sys.executable, str(script), what, str(tmp_path / "run.ckpt")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split("\n")[0] == "2 [0.25, 0.25]"


def test_arrays_that_cannot_take_the_parameters_are_refused_before_any_is_written(tmp_path):
    s = dd.Stepper(dd.sgd(lr=0.1), [np.ones(2), np.ones(2)])
    s.save(tmp_path / "run.ckpt")
    sealed, first = np.zeros(2), np.zeros(2)
    sealed.flags.writeable = False
    for x in ([first, sealed], [first, first]):
        with pytest.raises(ShapeError):
            dd.Stepper.load(tmp_path / "run.ckpt", x=x)
        assert first.tolist() == [0, 0]


def test_a_dict_that_was_changed_is_not_saved(tmp_path):
    x = {"w": np.ones(2)}
    s = dd.Stepper(dd.sgd(lr=0.1), x)
    x["z"] = np.ones(1)
    with pytest.raises(
        CheckpointError, match="x must hold the arrays that the Stepper was made with"
    ):
        s.save(tmp_path / "run.ckpt")
    del x["z"]
    x["w"] = np.ones(2)
    with pytest.raises(CheckpointError, match="it has changed"):
        s.save(tmp_path / "run.ckpt")
    assert not (tmp_path / "run.ckpt").exists()
