"""What the rules of ``resilient`` refuse: the call, and the whole sentence that answers it."""

# a row is a line:
# fmt: off
ROWS = [
    # rprop
    ("dd.rprop(lrr=0.5)", "rprop has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr, eta_minus, eta_plus, step_min, step_max."),
    ("dd.rprop(lr=-1.0)", "lr of rprop must be a float in [0, inf); got -1.0."),
    ("dd.rprop(lr={})", "lr of rprop must be a float in [0, inf); got {}."),
    ("dd.rprop(eta_minus=-0.5)", "eta_minus of rprop must be a float in [0, 1); got -0.5."),
    ("dd.rprop(eta_minus=1.0)", "eta_minus of rprop must be a float in [0, 1); got 1.0."),
    ("dd.rprop(eta_minus=np.float32('nan'))", "eta_minus of rprop must be a float in [0, 1); got np.float32(nan)."),
    ("dd.rprop(eta_plus=0.5)", "eta_plus of rprop must be a float in [1, inf); got 0.5."),
    ("dd.rprop(eta_plus=np.bool_(True))", "eta_plus of rprop must be a float in [1, inf); got np.True_."),
    ("dd.rprop(step_min=0.0)", "step_min of rprop must be a float in (0, inf); got 0.0."),
    ("dd.rprop(step_min=(0.1,))", "step_min of rprop must be a float in (0, inf); got (0.1,)."),
    ("dd.rprop(step_max=0.0)", "step_max of rprop must be a float in (0, inf); got 0.0."),
    ("dd.rprop(step_max=-inf)", "step_max of rprop must be a float in (0, inf); got -inf."),
]
