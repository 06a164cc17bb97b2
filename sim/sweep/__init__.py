"""Many runs as one thing: a plan of configurations, a driver that computes what is missing, and a folder.

`plan` turns Hydra's sweep syntax or a file of `configs/experiment` into points; `driver` computes the points that are
not there and keeps the manifest; `compact` writes one table for all runs of each kind. A sweep's folder:

    manifest.parquet   one row a run: hash, label, base, scenario, overrides, seed, state; sorted by hash
    runs/<hash16>/     finished run folders
    failures/<hash16>.txt  why a run failed, with its traceback
    summary/           one table of each kind over all runs, rebuilt when it is stale
    events.jsonl       what happened when, one JSON object a line
"""
