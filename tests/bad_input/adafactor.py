"""What the rules of ``adafactor`` refuse: the call, and the whole sentence that answers it."""

# a row is a line:
# fmt: off
ROWS = [
    # adafactor
    ("dd.adafactor(cli=0.5)", "adafactor has no hyperparameter 'cli'. Did you mean 'clip'? It has: lr, beta2_decay, eps1, eps2, clip."),
    ("dd.adafactor(lr=-1.0)", "lr of adafactor must be a float in [0, inf); got -1.0."),
    ("dd.adafactor(lr='0.1')", "lr of adafactor must be a float in [0, inf); got '0.1'."),
    ("dd.adafactor(beta2_decay=-0.5)", "beta2_decay of adafactor must be a float in [0, inf); got -0.5."),
    ("dd.adafactor(beta2_decay=True)", "beta2_decay of adafactor must be a float in [0, inf); got True."),
    ("dd.adafactor(eps1=0.0)", "eps1 of adafactor must be a float in (0, inf); got 0.0."),
    ("dd.adafactor(eps1=None)", "eps1 of adafactor must be a float in (0, inf); got None."),
    ("dd.adafactor(eps2=-1e-09)", "eps2 of adafactor must be a float in [0, inf); got -1e-09."),
    ("dd.adafactor(eps2=nan)", "eps2 of adafactor must be a float in [0, inf); got nan."),
    ("dd.adafactor(clip=0.0)", "clip of adafactor must be a float in (0, inf); got 0.0."),
    ("dd.adafactor(clip=[0.1])", "clip of adafactor must be a float in (0, inf); got [0.1]."),
    # adafactor_clamped
    ("dd.adafactor_clamped(weight_deca=0.5)", "adafactor_clamped has no hyperparameter 'weight_deca'. Did you mean 'weight_decay'? It has: lr, beta2_decay, eps1, eps2, clip, weight_decay."),
    ("dd.adafactor_clamped(lr=-1)", "lr of adafactor_clamped must be a float in [0, inf); got -1."),
    ("dd.adafactor_clamped(lr=1j)", "lr of adafactor_clamped must be a float in [0, inf); got 1j."),
    ("dd.adafactor_clamped(beta2_decay=-5e-324)", "beta2_decay of adafactor_clamped must be a float in [0, inf); got -5e-324."),
    ("dd.adafactor_clamped(beta2_decay=np.ones(2))", "beta2_decay of adafactor_clamped must be a float in [0, inf); got array([1., 1.])."),
    ("dd.adafactor_clamped(eps1=0.0)", "eps1 of adafactor_clamped must be a float in (0, inf); got 0.0."),
    ("dd.adafactor_clamped(eps1=inf)", "eps1 of adafactor_clamped must be a float in (0, inf); got inf."),
    ("dd.adafactor_clamped(eps2=np.float64(-0.1))", "eps2 of adafactor_clamped must be a float in [0, inf); got np.float64(-0.1)."),
    ("dd.adafactor_clamped(eps2=b'1')", "eps2 of adafactor_clamped must be a float in [0, inf); got b'1'."),
    ("dd.adafactor_clamped(clip=0.0)", "clip of adafactor_clamped must be a float in (0, inf); got 0.0."),
    ("dd.adafactor_clamped(clip={})", "clip of adafactor_clamped must be a float in (0, inf); got {}."),
    ("dd.adafactor_clamped(weight_decay=-(10**400))", "weight_decay of adafactor_clamped must be a float in [0, inf); got -1000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.adafactor_clamped(weight_decay=np.float32('nan'))", "weight_decay of adafactor_clamped must be a float in [0, inf); got np.float32(nan)."),
    # adafactor_constant
    ("dd.adafactor_constant(cli=0.5)", "adafactor_constant has no hyperparameter 'cli'. Did you mean 'clip'? It has: lr, beta2_decay, eps1, eps2, clip, weight_decay, factored_from."),
    ("dd.adafactor_constant(lr=-1.0)", "lr of adafactor_constant must be a float in [0, inf); got -1.0."),
    ("dd.adafactor_constant(lr=np.bool_(True))", "lr of adafactor_constant must be a float in [0, inf); got np.True_."),
    ("dd.adafactor_constant(beta2_decay=-0.5)", "beta2_decay of adafactor_constant must be a float in [0, inf); got -0.5."),
    ("dd.adafactor_constant(beta2_decay=(0.1,))", "beta2_decay of adafactor_constant must be a float in [0, inf); got (0.1,)."),
    ("dd.adafactor_constant(eps1=0.0)", "eps1 of adafactor_constant must be a float in (0, inf); got 0.0."),
    ("dd.adafactor_constant(eps1=-inf)", "eps1 of adafactor_constant must be a float in (0, inf); got -inf."),
    ("dd.adafactor_constant(eps2=-1e-09)", "eps2 of adafactor_constant must be a float in [0, inf); got -1e-09."),
    ("dd.adafactor_constant(eps2=np.array(0.5))", "eps2 of adafactor_constant must be a float in [0, inf); got array(0.5)."),
    ("dd.adafactor_constant(clip=0.0)", "clip of adafactor_constant must be a float in (0, inf); got 0.0."),
    ("dd.adafactor_constant(clip=Decimal('0.5'))", "clip of adafactor_constant must be a float in (0, inf); got Decimal('0.5')."),
    ("dd.adafactor_constant(weight_decay=-1)", "weight_decay of adafactor_constant must be a float in [0, inf); got -1."),
    ("dd.adafactor_constant(weight_decay=10**400)", "weight_decay of adafactor_constant must be a float in [0, inf); got 10000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.adafactor_constant(factored_from=0.5)", "factored_from of adafactor_constant must be a float in [1, inf); got 0.5."),
    ("dd.adafactor_constant(factored_from='0.1')", "factored_from of adafactor_constant must be a float in [1, inf); got '0.1'."),
]
