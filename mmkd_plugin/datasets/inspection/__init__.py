"""Look at data before training: their format, what they hold, what looks wrong, what is known of the published files."""

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
