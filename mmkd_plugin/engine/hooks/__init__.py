"""Hooks that the host lacks."""

from .resume_hook import ResumeHook

__all__ = ['ResumeHook']
