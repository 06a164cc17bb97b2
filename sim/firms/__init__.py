"""What firms decide: merchants, streamers, agencies, platforms, auditors. One module a decider, columns in and out."""
