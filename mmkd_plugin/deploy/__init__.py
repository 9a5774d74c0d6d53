"""What leaves a run: networks with the contract that says which data they fit."""

from .artifact import Artifact, artifact_path, load_artifact
from .budget import Budget, Limits
from .contract import Contract, check_checkpoint
from .contract_hook import ContractHook
from .decisions import FORMATS, format_decisions
from .drift import find_drift
from .export import QUANTIZERS, WINDOWS, Exported, Recorded, check_exportable, export_float, export_int8
from .inferencer import SignalInferencer
from .quantize import Accuracy
from .settings import first_difference, learning_settings, settings_fingerprint
from .streaming import StreamingInferencer
from .student import GOLDEN, Student, load_student, pack_student
from .verify import Comparison

__all__ = [
    'FORMATS',
    'GOLDEN',
    'QUANTIZERS',
    'WINDOWS',
    'Accuracy',
    'Artifact',
    'Budget',
    'Comparison',
    'Contract',
    'ContractHook',
    'Exported',
    'Limits',
    'Recorded',
    'SignalInferencer',
    'StreamingInferencer',
    'Student',
    'artifact_path',
    'check_checkpoint',
    'check_exportable',
    'export_float',
    'export_int8',
    'find_drift',
    'first_difference',
    'format_decisions',
    'learning_settings',
    'load_artifact',
    'load_student',
    'pack_student',
    'settings_fingerprint',
]
