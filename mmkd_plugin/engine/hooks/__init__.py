"""Hooks that the host lacks."""

from .strict_resume_hook import StrictResumeHook

__all__ = ['StrictResumeHook']
