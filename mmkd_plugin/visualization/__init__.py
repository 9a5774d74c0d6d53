"""Plots of data and of what networks see in them."""

from .data import draw_inspection

__all__ = ['draw_inspection']
