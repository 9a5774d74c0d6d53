"""Plans, records, tables and reports of many runs. Nothing here imports torch."""

from .cells import Cell, cells_of
from .logs import read_log
from .plan import Axis, Sweep, expand, parse_sweep, pick
from .records import FIELDS, VERSION, append_record, failed_record, finished, read_records, validation_of
from .run_record import record_of
from .runs import Plan, Run, Task, Teacher
from .search import Course, Search, SearchPlan, StudyPlan
from .space import Domain, Space, parse_space
from .sweep import Failure, finished_keys, run_sweep, trained
from .tables import Column, Table, figure_table

__all__ = [
    'FIELDS',
    'VERSION',
    'Axis',
    'Cell',
    'Column',
    'Course',
    'Domain',
    'Failure',
    'Plan',
    'Run',
    'Search',
    'SearchPlan',
    'Space',
    'StudyPlan',
    'Sweep',
    'Table',
    'Task',
    'Teacher',
    'append_record',
    'cells_of',
    'expand',
    'failed_record',
    'figure_table',
    'finished',
    'finished_keys',
    'parse_space',
    'parse_sweep',
    'pick',
    'read_log',
    'read_records',
    'record_of',
    'run_sweep',
    'trained',
    'validation_of',
]
