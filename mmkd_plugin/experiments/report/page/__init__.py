"""The page of a report: one HTML file that needs nothing else, neither a network nor colours."""

from .render import to_html

__all__ = ['to_html']
