"""What the rules of ``proximal`` refuse: the call, and the whole sentence that answers it."""

# a row is a line:
# fmt: off
ROWS = [
    # fista
    ("dd.fista(l11=0.5)", "fista has no hyperparameter 'l11'. Did you mean 'l1'? It has: lr, l1."),
    ("dd.fista(lr=-5e-324)", "lr of fista must be a float in [0, inf); got -5e-324."),
    ("dd.fista(lr=np.array(0.5))", "lr of fista must be a float in [0, inf); got array(0.5)."),
    ("dd.fista(l1=np.float64(-0.1))", "l1 of fista must be a float in [0, inf); got np.float64(-0.1)."),
    ("dd.fista(l1=Decimal('0.5'))", "l1 of fista must be a float in [0, inf); got Decimal('0.5')."),
    # fista_restart
    ("dd.fista_restart(l11=0.5)", "fista_restart has no hyperparameter 'l11'. Did you mean 'l1'? It has: lr, l1."),
    ("dd.fista_restart(lr=-(10**400))", "lr of fista_restart must be a float in [0, inf); got -1000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.fista_restart(lr=10**400)", "lr of fista_restart must be a float in [0, inf); got 10000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.fista_restart(l1=-1.0)", "l1 of fista_restart must be a float in [0, inf); got -1.0."),
    ("dd.fista_restart(l1='0.1')", "l1 of fista_restart must be a float in [0, inf); got '0.1'."),
    # ftrl
    ("dd.ftrl(shrinkag=0.5)", "ftrl has no hyperparameter 'shrinkag'. Did you mean 'shrinkage'? It has: lr, beta, l1, l2, shrinkage, n0."),
    ("dd.ftrl(lr=0.0)", "lr of ftrl must be a float in (0, inf); got 0.0."),
    ("dd.ftrl(lr=True)", "lr of ftrl must be a float in (0, inf); got True."),
    ("dd.ftrl(beta=-0.5)", "beta of ftrl must be a float in [0, inf); got -0.5."),
    ("dd.ftrl(beta=None)", "beta of ftrl must be a float in [0, inf); got None."),
    ("dd.ftrl(l1=-1e-09)", "l1 of ftrl must be a float in [0, inf); got -1e-09."),
    ("dd.ftrl(l1=nan)", "l1 of ftrl must be a float in [0, inf); got nan."),
    ("dd.ftrl(l2=-1)", "l2 of ftrl must be a float in [0, inf); got -1."),
    ("dd.ftrl(l2=[0.1])", "l2 of ftrl must be a float in [0, inf); got [0.1]."),
    ("dd.ftrl(shrinkage=-5e-324)", "shrinkage of ftrl must be a float in [0, inf); got -5e-324."),
    ("dd.ftrl(shrinkage=1j)", "shrinkage of ftrl must be a float in [0, inf); got 1j."),
    ("dd.ftrl(n0=0.0)", "n0 of ftrl must be a float in (0, inf); got 0.0."),
    ("dd.ftrl(n0=np.ones(2))", "n0 of ftrl must be a float in (0, inf); got array([1., 1.])."),
    # ista
    ("dd.ista(lrr=0.5)", "ista has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr, l1."),
    ("dd.ista(lr=np.float64(-0.1))", "lr of ista must be a float in [0, inf); got np.float64(-0.1)."),
    ("dd.ista(lr=inf)", "lr of ista must be a float in [0, inf); got inf."),
    ("dd.ista(l1=-(10**400))", "l1 of ista must be a float in [0, inf); got -1000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.ista(l1=b'1')", "l1 of ista must be a float in [0, inf); got b'1'."),
]
