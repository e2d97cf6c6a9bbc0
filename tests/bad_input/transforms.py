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
    # l2
    ("dd.l2(weight_deca=0.5)", "l2 has no hyperparameter 'weight_deca'. Did you mean 'weight_decay'? It has: weight_decay."),
    ("dd.l2(weight_decay=-(10**400))", "weight_decay of l2 must be a float in [0, inf); got -1000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.l2(weight_decay=-inf)", "weight_decay of l2 must be a float in [0, inf); got -inf."),
]
