"""What is read off finished runs: metrics, comparisons, figures and reports."""
