"""What the rules of ``adaptive`` refuse: the call, and the whole sentence that answers it."""

# a row is a line:
# fmt: off
ROWS = [
    # adadelta
    ("dd.adadelta(epss=0.5)", "adadelta has no hyperparameter 'epss'. Did you mean 'eps'? It has: lr, rho, eps."),
    ("dd.adadelta(lr=np.float64(-0.1))", "lr of adadelta must be a float in [0, inf); got np.float64(-0.1)."),
    ("dd.adadelta(lr=[0.1])", "lr of adadelta must be a float in [0, inf); got [0.1]."),
    ("dd.adadelta(rho=-(10**400))", "rho of adadelta must be a float in [0, 1); got -1000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.adadelta(rho=1.0)", "rho of adadelta must be a float in [0, 1); got 1.0."),
    ("dd.adadelta(rho=1j)", "rho of adadelta must be a float in [0, 1); got 1j."),
    ("dd.adadelta(eps=0.0)", "eps of adadelta must be a float in (0, inf); got 0.0."),
    ("dd.adadelta(eps=np.ones(2))", "eps of adadelta must be a float in (0, inf); got array([1., 1.])."),
    # adagrad
    ("dd.adagrad(epss=0.5)", "adagrad has no hyperparameter 'epss'. Did you mean 'eps'? It has: lr, eps, a0."),
    ("dd.adagrad(lr=-1.0)", "lr of adagrad must be a float in [0, inf); got -1.0."),
    ("dd.adagrad(lr=inf)", "lr of adagrad must be a float in [0, inf); got inf."),
    ("dd.adagrad(eps=0.0)", "eps of adagrad must be a float in (0, inf); got 0.0."),
    ("dd.adagrad(eps=b'1')", "eps of adagrad must be a float in (0, inf); got b'1'."),
    ("dd.adagrad(a0=-0.5)", "a0 of adagrad must be a float in [0, inf); got -0.5."),
    ("dd.adagrad(a0={})", "a0 of adagrad must be a float in [0, inf); got {}."),
    # adagrad_eps_inside
    ("dd.adagrad_eps_inside(lrr=0.5)", "adagrad_eps_inside has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr, eps, a0."),
    ("dd.adagrad_eps_inside(lr=-1e-09)", "lr of adagrad_eps_inside must be a float in [0, inf); got -1e-09."),
    ("dd.adagrad_eps_inside(lr=np.float32('nan'))", "lr of adagrad_eps_inside must be a float in [0, inf); got np.float32(nan)."),
    ("dd.adagrad_eps_inside(eps=0.0)", "eps of adagrad_eps_inside must be a float in (0, inf); got 0.0."),
    ("dd.adagrad_eps_inside(eps=np.bool_(True))", "eps of adagrad_eps_inside must be a float in (0, inf); got np.True_."),
    ("dd.adagrad_eps_inside(a0=-1)", "a0 of adagrad_eps_inside must be a float in [0, inf); got -1."),
    ("dd.adagrad_eps_inside(a0=(0.1,))", "a0 of adagrad_eps_inside must be a float in [0, inf); got (0.1,)."),
]
