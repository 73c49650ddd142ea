"""Lessons: one source in two languages, played, rendered, checked and graded."""
