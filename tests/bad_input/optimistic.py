"""What the rules of ``optimistic`` refuse: the call, and the whole sentence that answers it."""

# a row is a line:
# fmt: off
ROWS = [
    # optimistic_adam
    ("dd.optimistic_adam(lrr=0.5)", "optimistic_adam has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr, beta1, beta2, eps, alpha, beta."),
    ("dd.optimistic_adam(lr=-0.5)", "lr of optimistic_adam must be a float in [0, inf); got -0.5."),
    ("dd.optimistic_adam(lr=-inf)", "lr of optimistic_adam must be a float in [0, inf); got -inf."),
    ("dd.optimistic_adam(beta1=-1e-09)", "beta1 of optimistic_adam must be a float in [0, 1); got -1e-09."),
    ("dd.optimistic_adam(beta1=1.0)", "beta1 of optimistic_adam must be a float in [0, 1); got 1.0."),
    ("dd.optimistic_adam(beta1=b'1')", "beta1 of optimistic_adam must be a float in [0, 1); got b'1'."),
    ("dd.optimistic_adam(beta2=-1)", "beta2 of optimistic_adam must be a float in [0, 1); got -1."),
    ("dd.optimistic_adam(beta2=1.0)", "beta2 of optimistic_adam must be a float in [0, 1); got 1.0."),
    ("dd.optimistic_adam(beta2={})", "beta2 of optimistic_adam must be a float in [0, 1); got {}."),
    ("dd.optimistic_adam(eps=0.0)", "eps of optimistic_adam must be a float in (0, inf); got 0.0."),
    ("dd.optimistic_adam(eps=np.float32('nan'))", "eps of optimistic_adam must be a float in (0, inf); got np.float32(nan)."),
    ("dd.optimistic_adam(alpha=-5e-324)", "alpha of optimistic_adam must be a float in [0, inf); got -5e-324."),
    ("dd.optimistic_adam(alpha=None)", "alpha of optimistic_adam must be a float in [0, inf); got None."),
    ("dd.optimistic_adam(beta=-1.0)", "beta of optimistic_adam must be a float in [0, inf); got -1.0."),
    ("dd.optimistic_adam(beta=[0.1])", "beta of optimistic_adam must be a float in [0, inf); got [0.1]."),
    # optimistic_adam_nesterov
    ("dd.optimistic_adam_nesterov(alph=0.5)", "optimistic_adam_nesterov has no hyperparameter 'alph'. Did you mean 'alpha'? It has: lr, beta1, beta2, eps, alpha, beta."),
    ("dd.optimistic_adam_nesterov(lr=-1e-09)", "lr of optimistic_adam_nesterov must be a float in [0, inf); got -1e-09."),
    ("dd.optimistic_adam_nesterov(lr=inf)", "lr of optimistic_adam_nesterov must be a float in [0, inf); got inf."),
    ("dd.optimistic_adam_nesterov(beta1=-0.5)", "beta1 of optimistic_adam_nesterov must be a float in [0, 1); got -0.5."),
    ("dd.optimistic_adam_nesterov(beta1=1.0)", "beta1 of optimistic_adam_nesterov must be a float in [0, 1); got 1.0."),
    ("dd.optimistic_adam_nesterov(beta1='0.1')", "beta1 of optimistic_adam_nesterov must be a float in [0, 1); got '0.1'."),
    ("dd.optimistic_adam_nesterov(beta2=np.float64(-0.1))", "beta2 of optimistic_adam_nesterov must be a float in [0, 1); got np.float64(-0.1)."),
    ("dd.optimistic_adam_nesterov(beta2=1.0)", "beta2 of optimistic_adam_nesterov must be a float in [0, 1); got 1.0."),
    ("dd.optimistic_adam_nesterov(beta2=nan)", "beta2 of optimistic_adam_nesterov must be a float in [0, 1); got nan."),
    ("dd.optimistic_adam_nesterov(eps=0.0)", "eps of optimistic_adam_nesterov must be a float in (0, inf); got 0.0."),
    ("dd.optimistic_adam_nesterov(eps=1j)", "eps of optimistic_adam_nesterov must be a float in (0, inf); got 1j."),
    ("dd.optimistic_adam_nesterov(alpha=-1)", "alpha of optimistic_adam_nesterov must be a float in [0, inf); got -1."),
    ("dd.optimistic_adam_nesterov(alpha=np.bool_(True))", "alpha of optimistic_adam_nesterov must be a float in [0, inf); got np.True_."),
    ("dd.optimistic_adam_nesterov(beta=-(10**400))", "beta of optimistic_adam_nesterov must be a float in [0, inf); got -1000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.optimistic_adam_nesterov(beta=(0.1,))", "beta of optimistic_adam_nesterov must be a float in [0, inf); got (0.1,)."),
]
