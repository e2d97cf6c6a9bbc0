"""What the rules of ``averaging`` refuse: the call, and the whole sentence that answers it."""

# a row is a line:
# fmt: off
ROWS = [
    # asgd
    ("dd.asgd(lrr=0.5)", "asgd has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr, lambd, alpha, t0."),
    ("dd.asgd(lr=-1.0)", "lr of asgd must be a float in [0, inf); got -1.0."),
    ("dd.asgd(lr=np.array(0.5))", "lr of asgd must be a float in [0, inf); got array(0.5)."),
    ("dd.asgd(lambd=-0.5)", "lambd of asgd must be a float in [0, inf); got -0.5."),
    ("dd.asgd(lambd=Decimal('0.5'))", "lambd of asgd must be a float in [0, inf); got Decimal('0.5')."),
    ("dd.asgd(alpha=0.0)", "alpha of asgd must be a float in (0, inf); got 0.0."),
    ("dd.asgd(alpha=10**400)", "alpha of asgd must be a float in (0, inf); got 10000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.asgd(t0=-1e-09)", "t0 of asgd must be a float in [0, inf); got -1e-09."),
    ("dd.asgd(t0='0.1')", "t0 of asgd must be a float in [0, inf); got '0.1'."),
    # averaged_sgd
    ("dd.averaged_sgd(lrr=0.5)", "averaged_sgd has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr."),
    ("dd.averaged_sgd(lr=-1)", "lr of averaged_sgd must be a float in [0, inf); got -1."),
    ("dd.averaged_sgd(lr=True)", "lr of averaged_sgd must be a float in [0, inf); got True."),
    # schedule_free_adamw
    ("dd.schedule_free_adamw(weight_deca=0.5)", "schedule_free_adamw has no hyperparameter 'weight_deca'. Did you mean 'weight_decay'? It has: lr, beta1, beta2, eps, weight_decay."),
    ("dd.schedule_free_adamw(lr=-5e-324)", "lr of schedule_free_adamw must be a float in [0, inf); got -5e-324."),
    ("dd.schedule_free_adamw(lr=None)", "lr of schedule_free_adamw must be a float in [0, inf); got None."),
    ("dd.schedule_free_adamw(beta1=np.float64(-0.1))", "beta1 of schedule_free_adamw must be a float in [0, 1); got np.float64(-0.1)."),
    ("dd.schedule_free_adamw(beta1=1.0)", "beta1 of schedule_free_adamw must be a float in [0, 1); got 1.0."),
    ("dd.schedule_free_adamw(beta1=nan)", "beta1 of schedule_free_adamw must be a float in [0, 1); got nan."),
    ("dd.schedule_free_adamw(beta2=-(10**400))", "beta2 of schedule_free_adamw must be a float in [0, 1); got -1000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.schedule_free_adamw(beta2=1.0)", "beta2 of schedule_free_adamw must be a float in [0, 1); got 1.0."),
    ("dd.schedule_free_adamw(beta2=[0.1])", "beta2 of schedule_free_adamw must be a float in [0, 1); got [0.1]."),
    ("dd.schedule_free_adamw(eps=0.0)", "eps of schedule_free_adamw must be a float in (0, inf); got 0.0."),
    ("dd.schedule_free_adamw(eps=1j)", "eps of schedule_free_adamw must be a float in (0, inf); got 1j."),
    ("dd.schedule_free_adamw(weight_decay=-1.0)", "weight_decay of schedule_free_adamw must be a float in [0, inf); got -1.0."),
    ("dd.schedule_free_adamw(weight_decay=np.ones(2))", "weight_decay of schedule_free_adamw must be a float in [0, inf); got array([1., 1.])."),
    # schedule_free_adamw_uniform
    ("dd.schedule_free_adamw_uniform(epss=0.5)", "schedule_free_adamw_uniform has no hyperparameter 'epss'. Did you mean 'eps'? It has: lr, beta1, beta2, eps."),
    ("dd.schedule_free_adamw_uniform(lr=-0.5)", "lr of schedule_free_adamw_uniform must be a float in [0, inf); got -0.5."),
    ("dd.schedule_free_adamw_uniform(lr=inf)", "lr of schedule_free_adamw_uniform must be a float in [0, inf); got inf."),
    ("dd.schedule_free_adamw_uniform(beta1=-1e-09)", "beta1 of schedule_free_adamw_uniform must be a float in [0, 1); got -1e-09."),
    ("dd.schedule_free_adamw_uniform(beta1=1.0)", "beta1 of schedule_free_adamw_uniform must be a float in [0, 1); got 1.0."),
    ("dd.schedule_free_adamw_uniform(beta1=b'1')", "beta1 of schedule_free_adamw_uniform must be a float in [0, 1); got b'1'."),
    ("dd.schedule_free_adamw_uniform(beta2=-1)", "beta2 of schedule_free_adamw_uniform must be a float in [0, 1); got -1."),
    ("dd.schedule_free_adamw_uniform(beta2=1.0)", "beta2 of schedule_free_adamw_uniform must be a float in [0, 1); got 1.0."),
    ("dd.schedule_free_adamw_uniform(beta2={})", "beta2 of schedule_free_adamw_uniform must be a float in [0, 1); got {}."),
    ("dd.schedule_free_adamw_uniform(eps=0.0)", "eps of schedule_free_adamw_uniform must be a float in (0, inf); got 0.0."),
    ("dd.schedule_free_adamw_uniform(eps=np.float32('nan'))", "eps of schedule_free_adamw_uniform must be a float in (0, inf); got np.float32(nan)."),
    # schedule_free_sgd
    ("dd.schedule_free_sgd(bet=0.5)", "schedule_free_sgd has no hyperparameter 'bet'. Did you mean 'beta'? It has: lr, beta."),
    ("dd.schedule_free_sgd(lr=-5e-324)", "lr of schedule_free_sgd must be a float in [0, inf); got -5e-324."),
    ("dd.schedule_free_sgd(lr=np.bool_(True))", "lr of schedule_free_sgd must be a float in [0, inf); got np.True_."),
    ("dd.schedule_free_sgd(beta=np.float64(-0.1))", "beta of schedule_free_sgd must be a float in [0, 1); got np.float64(-0.1)."),
    ("dd.schedule_free_sgd(beta=1.0)", "beta of schedule_free_sgd must be a float in [0, 1); got 1.0."),
    ("dd.schedule_free_sgd(beta=(0.1,))", "beta of schedule_free_sgd must be a float in [0, 1); got (0.1,)."),
]
