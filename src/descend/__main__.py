"""``python -m descend`` is the command ``descend``."""

from descend.cli import main

main()
