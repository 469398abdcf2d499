"""Judging proxies against ground truth: rank correlation, selection, what holds on a device and in a budget, and cost.

Frames in, frames out. Intervals resample canonical networks, those of searches their seeds. Tables that meet truth
carry the control ``oracle``, and a score that failed is dropped and counted, never replaced.
"""

from .budget import budget_table
from .correlation import correlation_table
from .cost import cost_table
from .hardware import hardware_table
from .pareto import pareto_table
from .prediction import prediction_table
from .regret import regret_table
from .repeatability import repeatability_table
from .robustness import robustness_table
from .search import search_table
from .selection import selection_table
from .trust import trust_table

__all__ = [
    "budget_table",
    "correlation_table",
    "cost_table",
    "hardware_table",
    "pareto_table",
    "prediction_table",
    "regret_table",
    "repeatability_table",
    "robustness_table",
    "search_table",
    "selection_table",
    "trust_table",
]
