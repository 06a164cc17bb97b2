"""On whom: from a typed scope to a mask over the entities of a leaf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sim.config.interventions import Scope
from sim.errors import Fault, list_names, unknown_name
from sim.kinds import COUNTRIES, N_ORIGIN_WAREHOUSES, REGION_OF_COUNTRY, REGIONS, STREAMER_TIERS
from sim.rules import AXES, LEAVES

type Mask = NDArray[np.bool_]

KEYS_OF_AXIS: Mapping[str, tuple[str, ...]] = {
    "country": ("countries", "regions"),
    "category": ("categories",),
    "platform": ("platforms",),
    "channel": ("channels", "platforms"),
    "seller_class": ("merchant_size",),
    "method": ("payment_methods",),
    "warehouse": ("warehouses", "countries", "regions"),
    "carrier": ("carriers", "countries", "regions"),
    "mode": ("modes",),
    "language_from": ("language_pairs",),
    "language_to": ("language_pairs",),
    "tier": ("streamer_tiers",),
    "rank": ("streamer_ranks",),
}
"""The scope keys that narrow an axis; several keys of one axis add up."""


def keys_for(axes: Sequence[str], *, shares: bool = False) -> set[str]:
    """The scope keys that a cause with these axes knows; `shares`: the cause is a share of entities covered."""
    return {key for axis in axes for key in KEYS_OF_AXIS[axis]} | ({"adopters"} if shares else set())


def countries_in(scope: Scope) -> Mask:
    """bool[C]: the countries in scope; all when neither countries nor regions are named."""
    if scope.countries is None and scope.regions is None:
        return np.ones(len(COUNTRIES), dtype=np.bool_)
    regions = scope.regions or ()
    named = scope.countries or ()
    return np.array(
        [name in named or REGIONS[region] in regions for name, region in zip(COUNTRIES, REGION_OF_COUNTRY, strict=True)]
    )


def axis_mask(axis: str, scope: Scope) -> Mask:
    """bool along one axis: which of its entities are in scope."""
    names = AXES[axis]
    by_country = scope.countries is not None or scope.regions is not None
    everyone = np.ones(len(names), dtype=np.bool_)
    if axis == "country":
        return countries_in(scope)
    if axis == "category":
        return everyone if scope.categories is None else _named(names, scope.categories)
    if axis == "platform":
        return everyone if scope.platforms is None else _named(names, scope.platforms)
    if axis == "channel":
        if scope.platforms is None and scope.channels is None:
            return everyone
        return _named(names, (*(scope.platforms or ()), *(scope.channels or ())))
    if axis == "seller_class":
        return everyone if scope.merchant_size is None else _named(names, scope.merchant_size)
    if axis == "method":
        return everyone if scope.payment_methods is None else _named(names, scope.payment_methods)
    if axis == "mode":
        return everyone if scope.modes is None else _named(names, scope.modes)
    if axis == "warehouse":
        if scope.warehouses is None and not by_country:
            return everyone
        chosen = _named(names, scope.warehouses or ())
        if by_country:
            chosen[N_ORIGIN_WAREHOUSES:] |= countries_in(scope)
        return chosen
    if axis == "carrier":
        if scope.carriers is None and not by_country:
            return everyone
        chosen = _named(names, scope.carriers or ())
        if by_country:
            chosen |= np.repeat(countries_in(scope), 2)
        return chosen
    raise KeyError(axis)


def leaf_mask(path: str, scope: Scope) -> Mask:
    """bool in the leaf's shape: the entities in scope."""
    leaf = LEAVES[path]
    if leaf.axes == ("language_from", "language_to"):
        return language_mask(scope)
    mask = np.ones(leaf.shape, dtype=np.bool_)
    for place, axis in enumerate(leaf.axes):
        shape = [1] * len(leaf.axes)
        shape[place] = -1
        mask &= axis_mask(axis, scope).reshape(shape)
    return mask


def language_mask(scope: Scope) -> Mask:
    """bool[L, L]: ordered pairs in scope; a language to itself never is (there is nothing to translate)."""
    names = AXES["language_from"]
    mask = np.zeros((len(names), len(names)), dtype=np.bool_)
    for source, target in scope.language_pairs if scope.language_pairs is not None else (("*", "*"),):
        rows = slice(None) if source == "*" else names.index(source)
        columns = slice(None) if target == "*" else names.index(target)
        mask[rows, columns] = True
    np.fill_diagonal(mask, False)
    return mask


def tier_mask(scope: Scope) -> Mask:
    """bool[3]: streamer tiers in scope, in the order of `STREAMER_TIERS`."""
    chosen = scope.streamer_tiers
    return np.ones(len(STREAMER_TIERS), dtype=np.bool_) if chosen is None else _named(STREAMER_TIERS, chosen)


def scope_faults(scope: Scope, allowed: set[str], what: str, key: str, where: str) -> list[Fault]:
    """Keys that the cause does not know, and names of entities that do not exist."""
    faults = [
        Fault(where, f"{key}.{name}", f"does not apply to {what}", list_names(allowed) or "no scope")
        for name in scope.given()
        if name not in allowed
    ]
    for name, axis in (("warehouses", "warehouse"), ("carriers", "carrier")):
        faults += [
            unknown_name(where, f"{key}.{name}", axis, entity, AXES[axis])
            for entity in getattr(scope, name) or ()
            if entity not in AXES[axis]
        ]
    known = (*AXES["language_from"], "*")
    for pair in scope.language_pairs or ():
        faults += [
            unknown_name(where, f"{key}.language_pairs", "language", code, known) for code in pair if code not in known
        ]
        if pair[0] == pair[1] != "*":
            faults.append(Fault(where, f"{key}.language_pairs", f"{pair[0]} to itself needs no translation"))
    return faults


def _named(names: Sequence[str], chosen: Sequence[str]) -> Mask:
    return np.array([name in chosen for name in names], dtype=np.bool_)
