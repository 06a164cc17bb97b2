"""What a run leaves behind: the schema of its tables, today's tally, the recorder and readers of run folders.

`schema` and `tally` sit low (they import only `sim.kinds`), so that the rooms of the day may count into the tally;
`recorder` and `results` sit above the day.
"""
