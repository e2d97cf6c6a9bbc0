"""What the rules of ``layerwise`` refuse: the call, and the whole sentence that answers it."""

# a row is a line:
# fmt: off
ROWS = [
    # fromage
    ("dd.fromage(lrr=0.5)", "fromage has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr."),
    ("dd.fromage(lr=-(10**400))", "lr of fromage must be a float in [0, inf); got -1000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.fromage(lr=-inf)", "lr of fromage must be a float in [0, inf); got -inf."),
    # fromage_bounded
    ("dd.fromage_bounded(min_nor=0.5)", "fromage_bounded has no hyperparameter 'min_nor'. Did you mean 'min_norm'? It has: lr, min_norm."),
    ("dd.fromage_bounded(lr=-1.0)", "lr of fromage_bounded must be a float in [0, inf); got -1.0."),
    ("dd.fromage_bounded(lr=np.array(0.5))", "lr of fromage_bounded must be a float in [0, inf); got array(0.5)."),
    ("dd.fromage_bounded(min_norm=0.0)", "min_norm of fromage_bounded must be a float in (0, inf); got 0.0."),
    ("dd.fromage_bounded(min_norm=Decimal('0.5'))", "min_norm of fromage_bounded must be a float in (0, inf); got Decimal('0.5')."),
    # lamb
    ("dd.lamb(weight_deca=0.5)", "lamb has no hyperparameter 'weight_deca'. Did you mean 'weight_decay'? It has: lr, beta1, beta2, eps, weight_decay."),
    ("dd.lamb(lr=-0.5)", "lr of lamb must be a float in [0, inf); got -0.5."),
    ("dd.lamb(lr=10**400)", "lr of lamb must be a float in [0, inf); got 10000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.lamb(beta1=-1e-09)", "beta1 of lamb must be a float in [0, 1); got -1e-09."),
    ("dd.lamb(beta1=1.0)", "beta1 of lamb must be a float in [0, 1); got 1.0."),
    ("dd.lamb(beta1='0.1')", "beta1 of lamb must be a float in [0, 1); got '0.1'."),
    ("dd.lamb(beta2=-1)", "beta2 of lamb must be a float in [0, 1); got -1."),
    ("dd.lamb(beta2=1.0)", "beta2 of lamb must be a float in [0, 1); got 1.0."),
    ("dd.lamb(beta2=True)", "beta2 of lamb must be a float in [0, 1); got True."),
    ("dd.lamb(eps=0.0)", "eps of lamb must be a float in (0, inf); got 0.0."),
    ("dd.lamb(eps=None)", "eps of lamb must be a float in (0, inf); got None."),
    ("dd.lamb(weight_decay=-5e-324)", "weight_decay of lamb must be a float in [0, inf); got -5e-324."),
    ("dd.lamb(weight_decay=nan)", "weight_decay of lamb must be a float in [0, inf); got nan."),
    # lars
    ("dd.lars(lrr=0.5)", "lars has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr, momentum, trust, weight_decay."),
    ("dd.lars(lr=np.float64(-0.1))", "lr of lars must be a float in [0, inf); got np.float64(-0.1)."),
    ("dd.lars(lr=[0.1])", "lr of lars must be a float in [0, inf); got [0.1]."),
    ("dd.lars(momentum=-(10**400))", "momentum of lars must be a float in [0, 1); got -1000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.lars(momentum=1.0)", "momentum of lars must be a float in [0, 1); got 1.0."),
    ("dd.lars(momentum=1j)", "momentum of lars must be a float in [0, 1); got 1j."),
    ("dd.lars(trust=0.0)", "trust of lars must be a float in (0, inf); got 0.0."),
    ("dd.lars(trust=np.ones(2))", "trust of lars must be a float in (0, inf); got array([1., 1.])."),
    ("dd.lars(weight_decay=-1.0)", "weight_decay of lars must be a float in [0, inf); got -1.0."),
    ("dd.lars(weight_decay=inf)", "weight_decay of lars must be a float in [0, inf); got inf."),
    # novograd
    ("dd.novograd(epss=0.5)", "novograd has no hyperparameter 'epss'. Did you mean 'eps'? It has: lr, beta1, beta2, eps, weight_decay."),
    ("dd.novograd(lr=-0.5)", "lr of novograd must be a float in [0, inf); got -0.5."),
    ("dd.novograd(lr=b'1')", "lr of novograd must be a float in [0, inf); got b'1'."),
    ("dd.novograd(beta1=-1e-09)", "beta1 of novograd must be a float in [0, 1); got -1e-09."),
    ("dd.novograd(beta1=1.0)", "beta1 of novograd must be a float in [0, 1); got 1.0."),
    ("dd.novograd(beta1={})", "beta1 of novograd must be a float in [0, 1); got {}."),
    ("dd.novograd(beta2=-1)", "beta2 of novograd must be a float in [0, 1); got -1."),
    ("dd.novograd(beta2=1.0)", "beta2 of novograd must be a float in [0, 1); got 1.0."),
    ("dd.novograd(beta2=np.float32('nan'))", "beta2 of novograd must be a float in [0, 1); got np.float32(nan)."),
    ("dd.novograd(eps=0.0)", "eps of novograd must be a float in (0, inf); got 0.0."),
    ("dd.novograd(eps=np.bool_(True))", "eps of novograd must be a float in (0, inf); got np.True_."),
    ("dd.novograd(weight_decay=-5e-324)", "weight_decay of novograd must be a float in [0, inf); got -5e-324."),
    ("dd.novograd(weight_decay=(0.1,))", "weight_decay of novograd must be a float in [0, inf); got (0.1,)."),
]
