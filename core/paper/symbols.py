"""The commands of LaTeX formulas that are understood, and the characters that they stand for.

Only these are ever written into a LaTeX file, so that no formula can do anything but be shown.
The names are those of LaTeX, amsmath and amssymb.
"""

from __future__ import annotations

from typing import Final


def _pairs(text: str) -> dict[str, str]:
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SYMBOLS: Final = _pairs(
    """
    alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ
    lambda λ mu μ nu ν xi ξ pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi ϕ varphi φ
    chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω
    hbar ℏ ell ℓ imath ı jmath ȷ Re ℜ Im ℑ wp ℘ aleph ℵ partial ∂ nabla ∇ infty ∞ emptyset ∅ varnothing ∅
    forall ∀ exists ∃ nexists ∄ neg ¬ lnot ¬ top ⊤ bot ⊥ angle ∠ triangle △ square □ blacksquare ■ star ⋆
    dagger † ddagger ‡ checkmark ✓ prime ′ degree ° cdot ⋅ cdotp ⋅ times × div ÷ pm ± mp ∓ ast ∗ circ ∘
    bullet ∙ oplus ⊕ ominus ⊖ otimes ⊗ oslash ⊘ odot ⊙ cup ∪ cap ∩ uplus ⊎ sqcup ⊔ sqcap ⊓ wedge ∧ land ∧
    vee ∨ lor ∨ setminus ∖ backslash ∖ wr ≀ amalg ⨿ leq ≤ le ≤ geq ≥ ge ≥ neq ≠ ne ≠ ll ≪ gg ≫ leqslant ⩽
    geqslant ⩾ approx ≈ approxeq ≊ sim ∼ simeq ≃ cong ≅ equiv ≡ propto ∝ prec ≺ succ ≻ preceq ⪯ succeq ⪰
    in ∈ notin ∉ ni ∋ subset ⊂ supset ⊃ subseteq ⊆ supseteq ⊇ subsetneq ⊊ supsetneq ⊋ mid ∣ nmid ∤
    parallel ∥ nparallel ∦ perp ⊥ vdash ⊢ dashv ⊣ models ⊨ triangleq ≜ doteq ≐ asymp ≍ bowtie ⋈
    lesssim ≲ gtrsim ≳ to → rightarrow → gets ← leftarrow ← leftrightarrow ↔ Rightarrow ⇒ implies ⟹
    Leftarrow ⇐ impliedby ⟸ Leftrightarrow ⇔ iff ⟺ mapsto ↦ longmapsto ⟼ uparrow ↑ downarrow ↓
    updownarrow ↕ Uparrow ⇑ Downarrow ⇓ longrightarrow ⟶ longleftarrow ⟵ Longrightarrow ⟹ nearrow ↗
    searrow ↘ swarrow ↙ nwarrow ↖ hookrightarrow ↪ hookleftarrow ↩ rightharpoonup ⇀ rightleftharpoons ⇌
    rightsquigarrow ⇝ ldots … dots … dotsc … cdots ⋯ dotsb ⋯ vdots ⋮ ddots ⋱ colon : lbrace { rbrace }
    lbrack [ rbrack ] langle ⟨ rangle ⟩ lceil ⌈ rceil ⌉ lfloor ⌊ rfloor ⌋ vert | lvert | rvert | Vert ‖
    lVert ‖ rVert ‖ therefore ∴ because ∵
    """
)
"""Commands that stand for one character."""

LARGE: Final = _pairs(
    """
    sum ∑ prod ∏ coprod ∐ int ∫ iint ∬ iiint ∭ oint ∮ bigcup ⋃ bigcap ⋂ bigvee ⋁ bigwedge ⋀ bigoplus ⨁
    bigotimes ⨂ bigodot ⨀ bigsqcup ⨆ biguplus ⨄
    """
)
"""Large operators."""

FUNCTIONS: Final = _words(
    """
    arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf limsup ln
    log max min Pr sec sin sinh sup tan tanh
    """
)
"""Functions that are written upright."""

WITH_LIMITS: Final = frozenset({"det", "gcd", "inf", "lim", "liminf", "limsup", "max", "min", "Pr", "sup"})
"""Functions with what is below them set under them."""

ACCENTS: Final = {
    "hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303", "widetilde": "\u0303", "bar": "\u0304",
    "vec": "\u20d7", "dot": "\u0307", "ddot": "\u0308", "acute": "\u0301", "grave": "\u0300",
    "breve": "\u0306", "check": "\u030c", "mathring": "\u030a",
}  # fmt: skip
"""Accents, as combining characters."""

LINES: Final = frozenset({"overline", "underline", "overbrace", "underbrace"})
"""What is drawn over or under a part."""

STYLES: Final = {
    "mathbb": "bb", "mathcal": "cal", "mathscr": "cal", "mathfrak": "frak", "mathbf": "bold",
    "boldsymbol": "bold", "bm": "bold", "mathrm": "upright", "mathit": "italic", "mathsf": "sans",
    "mathtt": "mono",
}  # fmt: skip
"""Alphabets, and how Typst calls them."""

TEXTS: Final = frozenset({"text", "textrm", "textbf", "textit", "textnormal", "mbox"})
"""Commands that hold words."""

SPACES: Final = {
    ",": 0.167, ":": 0.222, ">": 0.222, ";": 0.278, "!": -0.167, " ": 0.25, "quad": 1.0, "qquad": 2.0,
    "thinspace": 0.167, "enspace": 0.5,
}  # fmt: skip
"""Spaces, in em."""

IGNORED: Final = _words(
    """
    displaystyle textstyle scriptstyle limits nolimits nonumber notag big Big bigg Bigg bigl bigr Bigl Bigr
    biggl biggr Biggl Biggr middle
    """
)
"""Commands that change only how a formula looks."""

ESCAPED: Final = frozenset("{}$&#%_|")
"""Signs that are shown when a backslash stands before them."""

MATRICES: Final = {
    "matrix": "", "pmatrix": "(", "bmatrix": "[", "Bmatrix": "{", "vmatrix": "|", "Vmatrix": "‖",
    "smallmatrix": "", "cases": "cases", "aligned": "align", "align": "align", "align*": "align",
    "split": "align", "gathered": "align", "array": "",
}  # fmt: skip
"""Environments with rows, and what stands on their left."""

SIGNS: Final = frozenset("+-*/=<>()[]|.,;:!?'~")
"""Plain signs that a formula may hold besides letters and digits."""

FENCES: Final = frozenset("()[]|/.<>{}‖⟨⟩⌈⌉⌊⌋↑↓")
"""What ``\\left`` and ``\\right`` can be followed by."""
