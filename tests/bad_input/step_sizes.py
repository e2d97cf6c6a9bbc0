"""What the rules of ``step_sizes`` refuse: the call, and the whole sentence that answers it."""

# a row is a line:
# fmt: off
ROWS = [
    # adgd
    ("dd.adgd(lrr=0.5)", "adgd has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr."),
    ("dd.adgd(lr=-1e-09)", "lr of adgd must be a float in [0, inf); got -1e-09."),
    ("dd.adgd(lr=b'1')", "lr of adgd must be a float in [0, inf); got b'1'."),
    # barzilai_borwein
    ("dd.barzilai_borwein(lrr=0.5)", "barzilai_borwein has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr."),
    ("dd.barzilai_borwein(lr=-1)", "lr of barzilai_borwein must be a float in [0, inf); got -1."),
    ("dd.barzilai_borwein(lr={})", "lr of barzilai_borwein must be a float in [0, inf); got {}."),
    # barzilai_borwein_short
    ("dd.barzilai_borwein_short(lrr=0.5)", "barzilai_borwein_short has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr."),
    ("dd.barzilai_borwein_short(lr=-5e-324)", "lr of barzilai_borwein_short must be a float in [0, inf); got -5e-324."),
    ("dd.barzilai_borwein_short(lr=np.float32('nan'))", "lr of barzilai_borwein_short must be a float in [0, inf); got np.float32(nan)."),
    # polyak_sgd
    ("dd.polyak_sgd(f_mi=0.5)", "polyak_sgd has no hyperparameter 'f_mi'. Did you mean 'f_min'? It has: lr, f_min, c."),
    ("dd.polyak_sgd(lr=np.float64(-0.1))", "lr of polyak_sgd must be a float in [0, inf); got np.float64(-0.1)."),
    ("dd.polyak_sgd(lr=np.bool_(True))", "lr of polyak_sgd must be a float in [0, inf); got np.True_."),
    ("dd.polyak_sgd(f_min=-inf)", "f_min of polyak_sgd must be a float in (-inf, inf); got -inf."),
    ("dd.polyak_sgd(f_min=(0.1,))", "f_min of polyak_sgd must be a float in (-inf, inf); got (0.1,)."),
    ("dd.polyak_sgd(c=0.0)", "c of polyak_sgd must be a float in (0, inf); got 0.0."),
    ("dd.polyak_sgd(c=-inf)", "c of polyak_sgd must be a float in (0, inf); got -inf."),
]
