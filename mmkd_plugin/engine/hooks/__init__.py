"""Hooks that the host lacks."""

from .finite_loss_hook import FiniteLossHook
from .resume_hook import ResumeHook

__all__ = ['FiniteLossHook', 'ResumeHook']
