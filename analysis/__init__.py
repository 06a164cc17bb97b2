"""What is read off finished runs: metrics, comparisons, figures and reports.

In a notebook: `import analysis`, then `analysis.open(DIR)` and `analysis.compare(DIR)`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.api import compare as compare
    from analysis.api import open as open


def __getattr__(name: str) -> Any:
    """`analysis.open` and `analysis.compare`, loaded when first asked for."""
    if name in ("open", "compare"):
        from analysis import api

        return getattr(api, name)
    raise AttributeError(f"module 'analysis' has no attribute '{name}'")
