"""Draws the simulator's files by procedure from a recipe: the same recipe gives the same bytes."""
