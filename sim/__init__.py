"""An agent-based laboratory for cross-border live commerce."""
