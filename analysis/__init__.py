"""What is read off finished runs: metrics, comparisons, figures and reports.

In a notebook: `from analysis import api as analysis`, then `analysis.open(DIR)` and `analysis.compare(DIR)`.
"""
