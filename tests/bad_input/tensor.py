"""What the rules of ``tensor`` refuse: the call, and the whole sentence that answers it."""

# a row is a line:
# fmt: off
ROWS = [
    # shampoo
    ("dd.shampoo(epss=0.5)", "shampoo has no hyperparameter 'epss'. Did you mean 'eps'? It has: lr, eps."),
    ("dd.shampoo(lr=-(10**400))", "lr of shampoo must be a float in [0, inf); got -1000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.shampoo(lr=np.array(0.5))", "lr of shampoo must be a float in [0, inf); got array(0.5)."),
    ("dd.shampoo(eps=0.0)", "eps of shampoo must be a float in (0, inf); got 0.0."),
    ("dd.shampoo(eps=Decimal('0.5'))", "eps of shampoo must be a float in (0, inf); got Decimal('0.5')."),
    # sm3
    ("dd.sm3(lrr=0.5)", "sm3 has no hyperparameter 'lrr'. Did you mean 'lr'? It has: lr, momentum, eps."),
    ("dd.sm3(lr=-1.0)", "lr of sm3 must be a float in [0, inf); got -1.0."),
    ("dd.sm3(lr=10**400)", "lr of sm3 must be a float in [0, inf); got 10000000000000000000000000000000000000000000000000000000000000000000000000000...."),
    ("dd.sm3(momentum=-0.5)", "momentum of sm3 must be a float in [0, 1); got -0.5."),
    ("dd.sm3(momentum=1.0)", "momentum of sm3 must be a float in [0, 1); got 1.0."),
    ("dd.sm3(momentum='0.1')", "momentum of sm3 must be a float in [0, 1); got '0.1'."),
    ("dd.sm3(eps=0.0)", "eps of sm3 must be a float in (0, inf); got 0.0."),
    ("dd.sm3(eps=True)", "eps of sm3 must be a float in (0, inf); got True."),
    # soap
    ("dd.soap(ever=0.5)", "soap has no hyperparameter 'ever'. Did you mean 'every'? It has: lr, beta1, beta2, eps, every."),
    ("dd.soap(lr=-1e-09)", "lr of soap must be a float in [0, inf); got -1e-09."),
    ("dd.soap(lr=None)", "lr of soap must be a float in [0, inf); got None."),
    ("dd.soap(beta1=-1)", "beta1 of soap must be a float in [0, 1); got -1."),
    ("dd.soap(beta1=1.0)", "beta1 of soap must be a float in [0, 1); got 1.0."),
    ("dd.soap(beta1=nan)", "beta1 of soap must be a float in [0, 1); got nan."),
    ("dd.soap(beta2=-5e-324)", "beta2 of soap must be a float in [0, 1); got -5e-324."),
    ("dd.soap(beta2=1.0)", "beta2 of soap must be a float in [0, 1); got 1.0."),
    ("dd.soap(beta2=[0.1])", "beta2 of soap must be a float in [0, 1); got [0.1]."),
    ("dd.soap(eps=0.0)", "eps of soap must be a float in (0, inf); got 0.0."),
    ("dd.soap(eps=1j)", "eps of soap must be a float in (0, inf); got 1j."),
    ("dd.soap(every=0.5)", "every of soap must be a whole number in [1, inf); got 0.5."),
    ("dd.soap(every=np.ones(2))", "every of soap must be a whole number in [1, inf); got array([1., 1.])."),
]
