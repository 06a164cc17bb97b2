"""Compiled loops: arrays in, arrays out, no knowledge of agents, rules or dates."""
