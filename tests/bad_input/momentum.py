"""What the rules of ``momentum`` refuse: the call, and the whole sentence that answers it."""

# a row is a line:
# fmt: off
ROWS = [
    # momentum
    ("dd.momentum(lrr=0.5)", "momentum has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr, momentum."),
    ("dd.momentum(lr=np.float64(-0.1))", "lr of momentum must be a float in [0, inf); got np.float64(-0.1)."),
    ("dd.momentum(lr=-inf)", "lr of momentum must be a float in [0, inf); got -inf."),
    ("dd.momentum(momentum=-(10**400))", "momentum of momentum must be a float in [0, 1); got -1000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.momentum(momentum=1.0)", "momentum of momentum must be a float in [0, 1); got 1.0."),
    ("dd.momentum(momentum=np.array(0.5))", "momentum of momentum must be a float in [0, 1); got array(0.5)."),
    # momentum_dampened
    ("dd.momentum_dampened(dampenin=0.5)", "momentum_dampened has no hyperparameter 'dampenin'. Did you mean 'dampening'? It has: lr, momentum, dampening."),
    ("dd.momentum_dampened(lr=-1.0)", "lr of momentum_dampened must be a float in [0, inf); got -1.0."),
    ("dd.momentum_dampened(lr=Decimal('0.5'))", "lr of momentum_dampened must be a float in [0, inf); got Decimal('0.5')."),
    ("dd.momentum_dampened(momentum=-0.5)", "momentum of momentum_dampened must be a float in [0, 1); got -0.5."),
    ("dd.momentum_dampened(momentum=1.0)", "momentum of momentum_dampened must be a float in [0, 1); got 1.0."),
    ("dd.momentum_dampened(momentum=10**400)", "momentum of momentum_dampened must be a float in [0, 1); got 10000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.momentum_dampened(dampening=-1e-09)", "dampening of momentum_dampened must be a float in [0, 1]; got -1e-09."),
    ("dd.momentum_dampened(dampening=1.5)", "dampening of momentum_dampened must be a float in [0, 1]; got 1.5."),
    ("dd.momentum_dampened(dampening='0.1')", "dampening of momentum_dampened must be a float in [0, 1]; got '0.1'."),
    # momentum_inside
    ("dd.momentum_inside(momentu=0.5)", "momentum_inside has no hyperparameter 'momentu'. Did you mean 'momentum'? It has: lr, momentum."),
    ("dd.momentum_inside(lr=-1)", "lr of momentum_inside must be a float in [0, inf); got -1."),
    ("dd.momentum_inside(lr=True)", "lr of momentum_inside must be a float in [0, inf); got True."),
    ("dd.momentum_inside(momentum=-5e-324)", "momentum of momentum_inside must be a float in [0, 1); got -5e-324."),
    ("dd.momentum_inside(momentum=1.0)", "momentum of momentum_inside must be a float in [0, 1); got 1.0."),
    ("dd.momentum_inside(momentum=None)", "momentum of momentum_inside must be a float in [0, 1); got None."),
    # nesterov
    ("dd.nesterov(lrr=0.5)", "nesterov has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr, momentum."),
    ("dd.nesterov(lr=np.float64(-0.1))", "lr of nesterov must be a float in [0, inf); got np.float64(-0.1)."),
    ("dd.nesterov(lr=nan)", "lr of nesterov must be a float in [0, inf); got nan."),
    ("dd.nesterov(momentum=-(10**400))", "momentum of nesterov must be a float in [0, 1); got -1000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.nesterov(momentum=1.0)", "momentum of nesterov must be a float in [0, 1); got 1.0."),
    ("dd.nesterov(momentum=[0.1])", "momentum of nesterov must be a float in [0, 1); got [0.1]."),
    # nesterov_inside
    ("dd.nesterov_inside(momentu=0.5)", "nesterov_inside has no hyperparameter 'momentu'. Did you mean 'momentum'? It has: lr, momentum."),
    ("dd.nesterov_inside(lr=-1.0)", "lr of nesterov_inside must be a float in [0, inf); got -1.0."),
    ("dd.nesterov_inside(lr=1j)", "lr of nesterov_inside must be a float in [0, inf); got 1j."),
    ("dd.nesterov_inside(momentum=-0.5)", "momentum of nesterov_inside must be a float in [0, 1); got -0.5."),
    ("dd.nesterov_inside(momentum=1.0)", "momentum of nesterov_inside must be a float in [0, 1); got 1.0."),
    ("dd.nesterov_inside(momentum=np.ones(2))", "momentum of nesterov_inside must be a float in [0, 1); got array([1., 1.])."),
    # nesterov_lookahead
    ("dd.nesterov_lookahead(momentu=0.5)", "nesterov_lookahead has no hyperparameter 'momentu'. Did you mean 'momentum'? It has: lr, momentum."),
    ("dd.nesterov_lookahead(lr=-1e-09)", "lr of nesterov_lookahead must be a float in [0, inf); got -1e-09."),
    ("dd.nesterov_lookahead(lr='0.1')", "lr of nesterov_lookahead must be a float in [0, inf); got '0.1'."),
    ("dd.nesterov_lookahead(momentum=-1)", "momentum of nesterov_lookahead must be a float in [0, 1); got -1."),
    ("dd.nesterov_lookahead(momentum=1.0)", "momentum of nesterov_lookahead must be a float in [0, 1); got 1.0."),
    ("dd.nesterov_lookahead(momentum=nan)", "momentum of nesterov_lookahead must be a float in [0, 1); got nan."),
    # optimistic
    ("dd.optimistic(alph=0.5)", "optimistic has no hyperparameter 'alph'. Did you mean 'alpha'? It has: lr, alpha, beta."),
    ("dd.optimistic(lr=-1e-09)", "lr of optimistic must be a float in [0, inf); got -1e-09."),
    ("dd.optimistic(lr=inf)", "lr of optimistic must be a float in [0, inf); got inf."),
    ("dd.optimistic(alpha=-1)", "alpha of optimistic must be a float in [0, inf); got -1."),
    ("dd.optimistic(alpha=b'1')", "alpha of optimistic must be a float in [0, inf); got b'1'."),
    ("dd.optimistic(beta=-5e-324)", "beta of optimistic must be a float in [0, inf); got -5e-324."),
    ("dd.optimistic(beta={})", "beta of optimistic must be a float in [0, inf); got {}."),
    # qhm
    ("dd.qhm(lrr=0.5)", "qhm has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr, beta, nu."),
    ("dd.qhm(lr=np.float64(-0.1))", "lr of qhm must be a float in [0, inf); got np.float64(-0.1)."),
    ("dd.qhm(lr=np.float32('nan'))", "lr of qhm must be a float in [0, inf); got np.float32(nan)."),
    ("dd.qhm(beta=-(10**400))", "beta of qhm must be a float in [0, 1); got -1000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.qhm(beta=1.0)", "beta of qhm must be a float in [0, 1); got 1.0."),
    ("dd.qhm(beta=np.bool_(True))", "beta of qhm must be a float in [0, 1); got np.True_."),
    ("dd.qhm(nu=-1.0)", "nu of qhm must be a float in [0, inf); got -1.0."),
    ("dd.qhm(nu=(0.1,))", "nu of qhm must be a float in [0, inf); got (0.1,)."),
    # sgd
    ("dd.sgd(lrr=0.5)", "sgd has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr."),
    ("dd.sgd(lr=-0.5)", "lr of sgd must be a float in [0, inf); got -0.5."),
    ("dd.sgd(lr=-inf)", "lr of sgd must be a float in [0, inf); got -inf."),
]
