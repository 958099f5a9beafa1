"""Maps of the pairing instability in dense neutrino gases."""

__version__ = "0.1.0"
