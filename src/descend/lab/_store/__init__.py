"""The parts of the run store; `descend.lab.store` is the whole."""
