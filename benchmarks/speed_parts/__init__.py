"""The tables of costs, one part a subject."""
