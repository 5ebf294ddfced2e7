"""One dimension: exact covering radii, decisions and covered parts of an interval."""
