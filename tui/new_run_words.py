"""What the form for a new run says: about the study, the machine, and what is missing."""

from __future__ import annotations

from textual.content import Content

from core.demo import studies
from core.rates import gpu_price_in_words
from core.sandbox.isolation import Finding
from tui import glyphs
from tui.run_form import LANGUAGE_MODELS, OWN_SCRIPT, Problem, RunForm
from tui.safe_text import one_line

NO_ISOLATION = "Scripts can read your files and keys: they run as you, in processes of their own."
READY = "Nothing is missing. Nothing is paid for before you approve it."
READY_TO_THINK = "Nothing is missing. Thinking costs from the start, and nothing goes beyond the cap."
AT_MODAL = Content.styled(
    "each experiment gets a machine of its own at Modal, billed by the second while it is open", "$muted"
)
GPU_HINT = "for experiments that name none themselves, such as H100 or any"
NOT_RESEARCHED = "Scripted: the study plays as it was written; a question of yours is not being researched."


def gpu_hint(form: RunForm) -> str:
    """What the GPU costs that was typed, with the source of its price; else an example."""
    return gpu_price_in_words(form.gpu) or GPU_HINT


def about(form: RunForm) -> Content:
    """What the chosen study, or way of thinking, is."""
    if form.study == LANGUAGE_MODELS:
        return Content.styled("A model that is not named is as your settings and keys have it.", "$muted")
    if form.study == OWN_SCRIPT:
        return Content.styled("A scripted model of your own: no language model is being used.", "$muted")
    told = next((study.about for study in studies() if study.name == form.study), "")
    words = Content.styled(one_line(told), "$muted")
    if form.question.strip():
        words = Content.assemble(words, (f"\n{NOT_RESEARCHED}", "$waiting"))
    return words


def isolation_words(found: Finding | None, *, own: bool) -> Content:
    """How far scripts on this machine can be kept from the human's files.

    Args:
        found: what was found; None while it is being looked for.
        own: whether the scripts are not those of a shipped study.
    """
    if found is None:
        return Content.styled("looking how far scripts can be kept from your files …", "$muted")
    if found.isolation == "namespaces":
        return Content.styled(f"{glyphs.DONE.glyph} isolated: scripts see none of your files", "$supported")
    warning = Content.styled(f"{glyphs.FAILED.glyph} {NO_ISOLATION}", "$waiting")
    fix = Content.styled(f"\n  {one_line(found.next_step)}.", "$foreground")
    known = "\n  The scripts of this study ship with fumehood, so each runs without a yes of its own."
    return Content.assemble(warning, fix, "" if own else (known, "$muted"))


def problem_line(problem: Problem, colour: str, fix: str) -> Content:
    """A problem and how to mend it; what keys would mend, the key ``fix`` does on the spot."""
    message = one_line(problem.message, 200)
    pronoun = "it" if len(problem.missing) == 1 else "them"
    here, next_step = Content(), problem.next_step
    if problem.missing and fix:
        next_step = f"{next_step.partition(', then:')[0].rstrip('.')}."
        here = Content.assemble("  ", (fix, "$accent bold"), f" sets {pronoun} here.")
    return Content.assemble(
        (f"{glyphs.FAILED.glyph} {message[:1].upper()}{message[1:]}.", colour),
        here,
        f"  {one_line(next_step)}" if next_step else "",
    )
