"""Write docs/twins.md, the table of other libraries' calls and descend's: ``python docs/twins.py``."""

from pathlib import Path

from descend.twins import FRAMEWORKS

SWITCHES = {
    "torch": [
        {"momentum": 0.9}, {"momentum": 0.9, "dampening": 0.1}, {"momentum": 0.9, "nesterov": True}, {"amsgrad": True}, {"centered": True},
        {"momentum": 0.9, "centered": True}, {"weight_decay": 0.01}, {"weight_decay": 0.01, "decoupled_weight_decay": True},
        {"maximize": True}, {"lr_decay": 0.1}, {"weight_decay": 0.0}, {"adjust_lr_fn": "match_rms_adamw"},
    ],
    "keras": [
        {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"amsgrad": True}, {"centered": True}, {"momentum": 0.9, "centered": True},
        {"warmup_steps": 10}, {"weight_decay": 0.01}, {"weight_decay": None, "adam_weight_decay": None},
    ],
    "optax": [
        {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"nesterov": True}, {"nesterov": False}, {"eps_in_sqrt": False}, {"centered": True},
        {"bias_correction": True}, {"eps_root": 1e-8}, {"weight_decay": 0.01}, {"min_norm": 0.0},
        {"bias_correction_mu": False, "bias_correction_nu": False}, {"factored": False}, {"clipping_threshold": None},
        {"weight_decay_rate": 0.01},
    ],
}  # fmt: skip
COMMON = [
    {"clipnorm": 1.0}, {"clipvalue": 1.0}, {"global_clipnorm": 1.0}, {"use_ema": True},
    {"use_ema": True, "ema_overwrite_frequency": 100},
]  # fmt: skip


def rows(framework):
    """Each call that has a twin: the defaults, then one switch at a time."""
    given = {"learning_rate": 0.001} if framework == "optax" else {}
    for name, twin in FRAMEWORKS[framework].twins.items():
        start = {"variant": "sps+"} if name == "polyak_sgd" else given
        switches = [
            *SWITCHES[framework],
            *(COMMON if (framework, name) == ("keras", "SGD") else []),
        ]
        seen = set()
        for switch in ({}, *switches):
            if set(switch) - set(twin.defaults):
                continue
            try:
                ours = repr(twin(**start, **switch))
            except ValueError:
                continue
            if ours not in seen:
                seen.add(ours)
                yield name, ", ".join(f"{k}={v!r}" for k, v in {**start, **switch}.items()), ours


def page():
    lines = [
        "# Twins: other libraries' optimizers as descend's rules",
        "",
        "`dd.twin(framework, name, **arguments)` takes a library's own names, arguments and defaults and gives the rule or chain that computes the same;",
        "`dd.translate(call, to=…)` gives the nearest call of another library and says what is lost. Every optimizer and switch is compared with the live library",
        "over 60 steps in float64, at several settings (`tests/test_twin_calls_*.py`). This page is written by `docs/twins.py`.",
        "",
        "Where a library rounds to less than float64 by itself, the comparison takes that rounding away: torch's Muon works in bfloat16, its NAdam and ASGD keep",
        "numbers in the default dtype; Keras takes means, norms and cosines in float32; optax's Adafactor has its β₂ in float32. As they come, those differ by",
        "their own rounding. Where a β near 1 leaves the libraries' 1 − βᵗ few digits, the tolerance is 1e-11, else 1e-12.",
        "",
        "Accepted and without effect, since they choose how a library computes and not what: torch's `foreach`, `fused`, `capturable`,",
        "`differentiable`; Keras's `name` and `loss_scale_factor=None`. Keras's `weight_decay`, clips and averages work with each of its optimizers as with SGD.",
    ]
    for framework, home in FRAMEWORKS.items():
        lines += ["", f"## {framework}", "", f"| `{home.prefix}` | `dd.` |", "| --- | --- |"]
        lines += [f"| `{name}({given})` | `{ours}` |" for name, given, ours in rows(framework)]
        lines += ["", "Without a twin:", ""]
        lines += [f"- `{name}`: {why}." for name, why in sorted(home.missing.items())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("twins.md").write_text(page())
