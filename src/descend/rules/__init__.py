"""The catalogue: each optimizer as the update rule of its paper, mathematics only."""

from descend.rules import adam, adaptive, averaging, momentum, sign

__all__ = ["adam", "adaptive", "averaging", "momentum", "sign"]
