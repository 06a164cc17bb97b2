"""How many people are simulated."""

from __future__ import annotations

from sim.config.quantity import Group


class Population(Group):
    """`consumers`: sampled online adults; each stands for W = online adults / consumers people."""

    consumers: int
