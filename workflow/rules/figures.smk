"""Figures."""


rule figures:
    """All figures."""
    input:
        [],
