"""Judging proxies against ground truth: tables of rank correlation, selection, Pareto fronts under a budget, and cost.

Frames in, frames out. Every interval resamples canonical networks, every table carries the control ``oracle``, and a
score that failed is dropped and counted, never replaced.
"""

from .correlation import correlation_table
from .cost import cost_table
from .pareto import budget_table, pareto_table
from .selection import selection_table

__all__ = ["budget_table", "correlation_table", "cost_table", "pareto_table", "selection_table"]
