"""``dd.translate``: calls from one library to another, and what cannot be said there; the page of all twins."""

import dataclasses
import runpy
from pathlib import Path

import pytest

import descend as dd
from descend.errors import DescendError
from descend.twins import FRAMEWORKS

EXACT = [
    ("torch.optim.AdamW(params, lr=2e-4)", "optax", "optax.adamw(learning_rate=0.0002, weight_decay=0.01)"),
    ("torch.Adam(lr=1e-3, decoupled_weight_decay=True, weight_decay=0.1)", "torch", "torch.optim.AdamW(params, lr=0.001, weight_decay=0.1)"),
    ("keras.SGD(0.1, 0.9, True)", "torch", "torch.optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True)"),
    ("torch.SGD(lr=0.1, momentum=0.9)", "keras", "keras.optimizers.SGD(learning_rate=0.1, momentum=0.9)"),
    ("optax.lion(1e-4)", "keras", "keras.optimizers.Lion(learning_rate=0.0001, weight_decay=0.001)"),
    ("optax.rmsprop(0.01, eps_in_sqrt=False, momentum=0.5)", "torch", "torch.optim.RMSprop(params, lr=0.01, alpha=0.9, momentum=0.5)"),
    ("keras.optimizers.Adagrad()", "optax", "optax.adagrad(learning_rate=0.001)"),
    ("optax.adam(1e-3)", "descend", "dd.adam(lr=0.001, beta1=0.9, beta2=0.999, eps=1e-08)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "to", "call"), EXACT, ids=str)
def test_what_is_the_same_is_exact_and_needs_no_note(text, to, call):
    found = dd.translate(text, to=to)
    assert (str(found), found.exact, found.notes) == (call, True, ())


LOSSY = [
    ("keras.Adam(learning_rate=1e-3)", "torch", "torch.optim.Adam(params, lr=0.001, eps=1e-07)", "eps-hat"),
    ("torch.Adam()", "keras", "keras.optimizers.Adam(learning_rate=0.001, epsilon=1e-08)", "eps-hat"),
    ("keras.SGD(0.1, clipnorm=1.0)", "torch", "torch.optim.SGD(params, lr=0.1)", "clip_grad_norm_"),
    ("torch.SGD(lr=0.1, weight_decay=0.1)", "optax", "optax.sgd(learning_rate=0.1)", "optax.add_decayed_weights(0.1)"),
    ("keras.Nadam()", "optax", "optax.nadam(learning_rate=0.001, eps=1e-07)", "constant"),
    ("torch.NAdam()", "keras", "keras.optimizers.Nadam(learning_rate=0.002, epsilon=1e-08)", "momentum_decay=1.0 for 0.004"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "to", "call", "said"), LOSSY, ids=str)
def test_what_is_lost_is_said_in_a_sentence(text, to, call, said):
    found = dd.translate(text, to=to)
    assert (found.call, found.exact) == (call, False)
    assert any(said in note for note in found.notes)
    assert all(note.endswith(".") for note in found.notes)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_twin_translates_to_itself(framework):
    for name in dd.list_twins(framework):
        given = {"optax": "learning_rate=0.01"}.get(framework, "")
        given = 'variant="sps+"' if name == "polyak_sgd" else given
        assert dd.translate(f"{framework}.{name}({given})", to=framework).exact, name


HOSTILE = [
    "", "torch.Adam", "torch.Adam(", "Adam()", "torch.Adam(lr=__import__('os').system('true'))", "torch.Adam(lr=(lambda: 1)())", "torch.Adam(**{})",
    "torch.Adam(*[1])", "torch.nn.Adam()", "torch.Adam(lr=1)(lr=2)", "(" * 999, "torch.Adam(lr=" + "-" * 1500 + "1)", "torch.Adam(lr=1" + "0" * 5000 + ")",
    "torch.Adam(lr=1, lr=2)", "optax.adam(1e-3, learning_rate=1)", "optax.sgd(1,2,3,4,5,6,7)", "jax.adam(1)", "torch.Adam(lr=x)", "keras.Adam(x)",
    "torch.Adam(lr=10**10**10)", "torch.Adam(lr=\0)", "torch.__class__()", "torch.Adam(lr='1')", "torch.Adam(lr=[1])", "torch.Adam(betas={1: 2})",
    "torch.Adam(lr=1e999)", "torch.Adam(); 1", None, 3, b"torch.Adam()",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text)[:40])
def test_other_text_is_one_clear_error(text):
    with pytest.raises(DescendError) as caught:
        dd.translate(text, to="keras")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_frameworks_are_known_by_name():
    for call in (lambda: dd.translate("torch.Adam()", to="tourch"), lambda: dd.twin("tourch", "Adam"), lambda: dd.list_twins("tourch")):  # fmt: skip
        with pytest.raises(DescendError, match="no framework is called 'tourch'. Did you mean 'torch'?"):  # fmt: skip
            call()


def test_a_translation_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        dd.translate("torch.Adam()", to="optax").call = ""


def test_the_page_of_twins_is_what_its_script_writes():
    docs = Path(__file__).parent.parent / "docs"
    assert runpy.run_path(str(docs / "twins.py"))["page"]() == (docs / "twins.md").read_text()
