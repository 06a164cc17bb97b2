"""The rooms of a day, one module each, called in order by the world."""
