"""Who takes part: Mesa agents, either ordinary objects or views on the row of a table."""
