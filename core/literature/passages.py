"""Whether words that a model quotes stand in a work at all."""

from __future__ import annotations

from core.literature.titles import title_words
from core.record.works import Work

LEAST_WORDS = 4
"""Fewer words of an abstract say nothing that a claim could rest on."""


def stands_in(passage: str, work: Work) -> bool:
    """Whether a passage is the work's title, or stands in its abstract word for word."""
    words = title_words(passage)
    if not words:
        return False
    if words == title_words(work.title):
        return True
    return len(words.split()) >= LEAST_WORDS and f" {words} " in f" {title_words(work.abstract)} "
