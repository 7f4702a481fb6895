"""Scorecards: talk judged by a rubric, with evidence that code has checked. Pure: no I/O, no clock, no model."""
