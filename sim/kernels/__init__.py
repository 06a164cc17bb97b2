"""Compiled loops: arrays in, arrays out, no knowledge of agents, rules or dates.

Loops over orders and what they call are compiled with `_nrt=False`: numba then counts no references to the arrays they
are handed. Counting took about a tenth of a day of a million consumers, for arrays that the caller holds anyway. Such a
function can neither make nor return an array; the compiler refuses it if it tries.
"""
