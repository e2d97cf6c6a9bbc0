"""What the transforms refuse: the call, and the whole sentence that answers it."""

# a row is a line:
# fmt: off
ROWS = [
    # clip_norm
    ("dd.clip_norm(max_nor=0.5)", "clip_norm has no hyperparameter 'max_nor'. Did you mean 'max_norm'? It has: max_norm."),
    ("dd.clip_norm(max_norm=0.0)", "max_norm of clip_norm must be a float in (0, inf); got 0.0."),
    ("dd.clip_norm(max_norm=inf)", "max_norm of clip_norm must be a float in (0, inf); got inf."),
    # clip_norm_each
    ("dd.clip_norm_each(max_nor=0.5)", "clip_norm_each has no hyperparameter 'max_nor'. Did you mean 'max_norm'? It has: max_norm."),
    ("dd.clip_norm_each(max_norm=0.0)", "max_norm of clip_norm_each must be a float in (0, inf); got 0.0."),
    ("dd.clip_norm_each(max_norm=b'1')", "max_norm of clip_norm_each must be a float in (0, inf); got b'1'."),
    # agc
    ("dd.agc(epss=0.5)", "agc has no hyperparameter 'epss'. Did you mean 'eps'? It has: clipping, eps."),
    ("dd.agc(clipping=0.0)", "clipping of agc must be a float in (0, inf); got 0.0."),
    ("dd.agc(clipping={})", "clipping of agc must be a float in (0, inf); got {}."),
    ("dd.agc(eps=0.0)", "eps of agc must be a float in (0, inf); got 0.0."),
    ("dd.agc(eps=np.float32('nan'))", "eps of agc must be a float in (0, inf); got np.float32(nan)."),
    # clip_value
    ("dd.clip_value(max_valu=0.5)", "clip_value has no hyperparameter 'max_valu'. Did you mean 'max_value'? It has: max_value."),
    ("dd.clip_value(max_value=0.0)", "max_value of clip_value must be a float in (0, inf); got 0.0."),
    ("dd.clip_value(max_value=np.bool_(True))", "max_value of clip_value must be a float in (0, inf); got np.True_."),
    # centralize
    ("dd.centralize(lr=0.5)", "centralize has no hyperparameter 'lr'. It has: none."),
    # decay
    ("dd.decay(weight_deca=0.5)", "decay has no hyperparameter 'weight_deca'. Did you mean 'weight_decay'? It has: weight_decay."),
    ("dd.decay(weight_decay=np.float64(-0.1))", "weight_decay of decay must be a float in [0, inf); got np.float64(-0.1)."),
    ("dd.decay(weight_decay=(0.1,))", "weight_decay of decay must be a float in [0, inf); got (0.1,)."),
    # maximize
    ("dd.maximize(lr=0.5)", "maximize has no hyperparameter 'lr'. It has: none."),
    # noise
    ("dd.noise(et=0.5)", "noise has no hyperparameter 'et'. Did you mean 'eta'? It has: eta, gamma, seed."),
    ("dd.noise(eta=-0.1)", "eta of noise must be a float in [0, inf); got -0.1."),
    ("dd.noise(gamma=inf)", "gamma of noise must be a float in [0, inf); got inf."),
    ("dd.noise(seed=-1)", "seed of noise must be a whole number in [0, inf); got -1."),
    # accumulate
    ("dd.accumulate(step=2)", "accumulate has no hyperparameter 'step'. Did you mean 'steps'? It has: steps."),
    ("dd.accumulate(0)", "steps of accumulate must be a whole number in [1, inf); got 0."),
    ("dd.accumulate(steps=0.5)", "steps of accumulate must be a whole number in [1, inf); got 0.5."),
    ("dd.accumulate(2.5)", "steps of accumulate must be a whole number in [1, inf); got 2.5."),
    ("dd.accumulate('4')", "steps of accumulate must be a whole number in [1, inf); got '4'."),
    # unscale
    ("dd.unscale(scale=2.0)", "unscale has no hyperparameter 'scale'. It has: first, growth, backoff, every."),
    ("dd.unscale(first=0)", "first of unscale must be a float in [1, inf); got 0."),
    ("dd.unscale(growth=0.5)", "growth of unscale must be a float in [1, inf); got 0.5."),
    ("dd.unscale(backoff=2.0)", "backoff of unscale must be a float in [0, 1]; got 2.0."),
    ("dd.unscale(every=nan)", "every of unscale must be a whole number in [1, inf); got nan."),
    # skip_nonfinite
    ("dd.skip_nonfinite(3)", "skip_nonfinite takes no positional setting; got 3."),
    # sam
    ("dd.sam(rh=0.1)", "sam has no hyperparameter 'rh'. Did you mean 'rho'? It has: rho."),
    ("dd.sam(rho=0.0)", "rho of sam must be a float in (0, inf); got 0.0."),
    ("dd.sam(rho=True)", "rho of sam must be a float in (0, inf); got True."),
    # l2
    ("dd.l2(weight_deca=0.5)", "l2 has no hyperparameter 'weight_deca'. Did you mean 'weight_decay'? It has: weight_decay."),
    ("dd.l2(weight_decay=-(10**400))", "weight_decay of l2 must be a float in [0, inf); got -1000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.l2(weight_decay=-inf)", "weight_decay of l2 must be a float in [0, inf); got -inf."),
]
