"""The configuration: frozen, typed, every number with unit, range and source."""
