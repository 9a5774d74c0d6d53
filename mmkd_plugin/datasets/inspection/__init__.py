"""Inspection of data before training: their format, content and oddities, and a comparison with the published files."""

from .discovery import find_reader
from .published import Check, check_parts, conclude, format_check
from .sanity import find_oddities, sample_subjects
from .summary import Inspection, format_inspection, inspect_recordings

__all__ = [
    'Check',
    'Inspection',
    'check_parts',
    'conclude',
    'find_oddities',
    'find_reader',
    'format_check',
    'format_inspection',
    'inspect_recordings',
    'sample_subjects',
]
