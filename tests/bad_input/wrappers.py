"""What the wrappers refuse: the call, and the whole sentence that answers it."""

# a row is a line:
# fmt: off
ROWS = [
    # ema
    ("dd.ema(bet=0.5)", "ema has no hyperparameter 'bet'. Did you mean 'beta'? It has: beta."),
    ("dd.ema(beta=-1.0)", "beta of ema must be a float in [0, 1); got -1.0."),
    ("dd.ema(beta=1.0)", "beta of ema must be a float in [0, 1); got 1.0."),
    ("dd.ema(beta=np.array(0.5))", "beta of ema must be a float in [0, 1); got array(0.5)."),
    # ema_restart
    ("dd.ema_restart(ever=0.5)", "ema_restart has no hyperparameter 'ever'. Did you mean 'every'? It has: beta, every."),
    ("dd.ema_restart(beta=-0.5)", "beta of ema_restart must be a float in [0, 1); got -0.5."),
    ("dd.ema_restart(beta=1.0)", "beta of ema_restart must be a float in [0, 1); got 1.0."),
    ("dd.ema_restart(beta=Decimal('0.5'))", "beta of ema_restart must be a float in [0, 1); got Decimal('0.5')."),
    ("dd.ema_restart(every=0.5)", "every of ema_restart must be a whole number in [1, inf); got 0.5."),
    ("dd.ema_restart(every=10**400)", "every of ema_restart must be a whole number in [1, inf); got 10000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    # polyak_average
    ("dd.polyak_average(lr=0.5)", "polyak_average has no hyperparameter 'lr'. It has: none."),
    # swa
    ("dd.swa(star=0.5)", "swa has no hyperparameter 'star'. Did you mean 'start'? It has: every, start."),
    ("dd.swa(every=0.5)", "every of swa must be a whole number in [1, inf); got 0.5."),
    ("dd.swa(every='0.1')", "every of swa must be a whole number in [1, inf); got '0.1'."),
    ("dd.swa(start=0.5)", "start of swa must be a whole number in [1, inf); got 0.5."),
    ("dd.swa(start=True)", "start of swa must be a whole number in [1, inf); got True."),
    # lookahead
    ("dd.lookahead(ever=0.5)", "lookahead has no hyperparameter 'ever'. Did you mean 'every'? It has: alpha, every."),
    ("dd.lookahead(alpha=-1e-09)", "alpha of lookahead must be a float in [0, 1]; got -1e-09."),
    ("dd.lookahead(alpha=1.5)", "alpha of lookahead must be a float in [0, 1]; got 1.5."),
    ("dd.lookahead(alpha=None)", "alpha of lookahead must be a float in [0, 1]; got None."),
    ("dd.lookahead(every=0.5)", "every of lookahead must be a whole number in [1, inf); got 0.5."),
    ("dd.lookahead(every=nan)", "every of lookahead must be a whole number in [1, inf); got nan."),
    # cautious
    ("dd.cautious(lr=0.5)", "cautious has no hyperparameter 'lr'. It has: none."),
    # grams
    ("dd.grams(lr=0.5)", "grams has no hyperparameter 'lr'. It has: none."),
]
