"""Reruns: does a run reproduce, and if not, which of its layers is why."""
