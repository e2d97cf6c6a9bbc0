"""What the rules of ``sign`` refuse: the call, and the whole sentence that answers it."""

# a row is a line:
# fmt: off
ROWS = [
    # lion
    ("dd.lion(beeta1=0.5)", "lion has no hyperparameter 'beeta1'. Did you mean 'beta1'? It has: lr, beta1, beta2."),
    ("dd.lion(lr=-1.0)", "lr of lion must be a float in [0, inf); got -1.0."),
    ("dd.lion(lr=10**400)", "lr of lion must be a float in [0, inf); got 10000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.lion(beta1=-0.5)", "beta1 of lion must be a float in [0, 1); got -0.5."),
    ("dd.lion(beta1=1.0)", "beta1 of lion must be a float in [0, 1); got 1.0."),
    ("dd.lion(beta1='0.1')", "beta1 of lion must be a float in [0, 1); got '0.1'."),
    ("dd.lion(beta2=-1e-09)", "beta2 of lion must be a float in [0, 1); got -1e-09."),
    ("dd.lion(beta2=1.0)", "beta2 of lion must be a float in [0, 1); got 1.0."),
    ("dd.lion(beta2=True)", "beta2 of lion must be a float in [0, 1); got True."),
    # signsgd
    ("dd.signsgd(lrr=0.5)", "signsgd has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr."),
    ("dd.signsgd(lr=-1)", "lr of signsgd must be a float in [0, inf); got -1."),
    ("dd.signsgd(lr=None)", "lr of signsgd must be a float in [0, inf); got None."),
    # signum
    ("dd.signum(lrr=0.5)", "signum has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr, beta."),
    ("dd.signum(lr=-5e-324)", "lr of signum must be a float in [0, inf); got -5e-324."),
    ("dd.signum(lr=nan)", "lr of signum must be a float in [0, inf); got nan."),
    ("dd.signum(beta=np.float64(-0.1))", "beta of signum must be a float in [0, 1); got np.float64(-0.1)."),
    ("dd.signum(beta=1.0)", "beta of signum must be a float in [0, 1); got 1.0."),
    ("dd.signum(beta=[0.1])", "beta of signum must be a float in [0, 1); got [0.1]."),
    # tiger
    ("dd.tiger(weight_deca=0.5)", "tiger has no hyperparameter 'weight_deca'. Did you mean 'weight_decay'? It has: lr, beta, weight_decay."),
    ("dd.tiger(lr=-(10**400))", "lr of tiger must be a float in [0, inf); got -1000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.tiger(lr=1j)", "lr of tiger must be a float in [0, inf); got 1j."),
    ("dd.tiger(beta=-1.0)", "beta of tiger must be a float in [0, 1); got -1.0."),
    ("dd.tiger(beta=1.0)", "beta of tiger must be a float in [0, 1); got 1.0."),
    ("dd.tiger(beta=np.ones(2))", "beta of tiger must be a float in [0, 1); got array([1., 1.])."),
    ("dd.tiger(weight_decay=-0.5)", "weight_decay of tiger must be a float in [0, inf); got -0.5."),
    ("dd.tiger(weight_decay=inf)", "weight_decay of tiger must be a float in [0, inf); got inf."),
]
