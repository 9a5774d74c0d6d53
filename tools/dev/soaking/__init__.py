"""Trials of the soak: commands that are killed, starved and crowded at a point of theirs, and what they leave."""

__all__: list[str] = []
