"""Works that a text names by hand: by author and year, by a number in brackets, by an identifier.

Only what the literature was asked about is printed. So a work that is named by hand has to be one of
those that were verified; what cannot be told to be one is refused. A name alone is no work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from core.evidence import markup
from core.evidence.references import Reference

NO_AUTHORS = frozenset(
    """
    january february march april may june july august september october november december spring summer
    autumn fall winter monday tuesday wednesday thursday friday saturday sunday
    table tables figure figures section sections chapter appendix equation eq algorithm theorem lemma
    definition step round seed version release edition year since until by in on at of from to between
    before after during around about for with and or the this that these those as see than when while
    """.split()  # noqa: SIM905
)
"""Words with a capital letter that stand before a year, or in front of an author, and are no author."""

_PARTICLE = r"(?:(?:van|von|de[rn]?|del|di|da|la|le|ten|el|al|bin)[ -]){0,3}"
_NAME = rf"\b{_PARTICLE}(?!\d)[^\W_a-z][\w’'-]*"
_AUTHORS = (
    rf"{_NAME}(?:,? (?:and|&) {_NAME}|, {_NAME}){{0,9}}"
    r"(?P<others>,? et ?al\b\.?|,? and (?:others|colleagues|co-?workers|coauthors))?"
)
_YEAR = rf"(?P<year>(?:1[89]|20)\d\d(?![\d.,]*\d)|{markup.ANY_MARK})[a-z]?"
_NO_YEAR_YET = r"(?P<unpublished>in press|in preparation|forthcoming|to appear|submitted|n\.d\.)"
_BY_AUTHOR = re.compile(
    rf"(?P<authors>{_AUTHORS})(?:[’']s?)?"
    rf"(?:,?\s?[(\[]\s?(?:{_YEAR}|{_NO_YEAR_YET})(?:[,;:] ?[^()\[\]]{{0,40}})?[)\]]"
    rf"|,?\s{_YEAR.replace('year', 'bare')}(?![\w%]|[-–]\d))?"
)
_IN_BRACKETS = re.compile(r"(?<![\w\])])\[\s?[1-9]\d{0,2}(?:\s?[,;–-]\s?[1-9]\d{0,2}){0,9}\s?\](?![(\w])")
_IDENTIFIER = re.compile(
    r"(?:\bhttps?://(?:[\w.-]+/)+|\bdoi:\s?)?(?<![\w.])(?P<doi>10\.\d{4,9}/[^\s<>()\[\]\"]+)"
    r"|(?:\bhttps?://)?(?:\b[a-z]+\.)?\barxiv(?:\.org/(?:abs|pdf)/|:\s?)(?P<arxiv>\d{4}\.\d{4,5})(?:v\d+)?",
    re.IGNORECASE,
)
_FAMILY_IN_TWO = re.compile(r"(?:Mc|Mac|De|Di|Du|La|Le|Van|Von|Fitz|Ben|Ten|Al|El|[OD][’'])[A-Z]")


@dataclass(frozen=True)
class NamedWork:
    """A work as a text names it.

    Attributes:
        start: where its name begins.
        end: behind its name.
        families: of the authors that are named, in their order; empty where none is.
        year: of the work; empty where none is named.
        identifier: its DOI in small letters, or its arXiv id; empty where there is none.
    """

    start: int
    end: int
    families: tuple[str, ...] = ()
    year: str = ""
    identifier: str = ""


def named_works(
    text: str, names: Collection[str] = (), shown: Callable[[int], str] = lambda _: ""
) -> list[NamedWork]:
    """Every work that a text names by hand, in the order of the text.

    Args:
        text: as a reader sees it, with marks in the place of what was bound.
        names: names of this run (factor levels, metrics, settings), which are no authors.
        shown: what is shown in the place of a mark; a year may have been bound as a literal.
    """
    no_authors = NO_AUTHORS | {name.casefold() for name in names}
    found = [
        *_by_author(text, no_authors, shown),
        *(NamedWork(match.start(), match.end()) for match in _IN_BRACKETS.finditer(text)),
        *identified_works(text),
    ]
    return sorted(found, key=lambda work: work.start)


def identified_works(text: str) -> Iterator[NamedWork]:
    """Every work that a text, or an address, names by its DOI or its arXiv id."""
    for match in _IDENTIFIER.finditer(text):
        said = (match["doi"] or match["arxiv"]).rstrip(".,;:'’”")
        end = match.end() - (len(match["doi"]) - len(said) if match["doi"] else 0)
        yield NamedWork(match.start(), end, identifier=said.casefold())


def verified_among(work: NamedWork, references: Iterable[Reference]) -> Reference | None:
    """The verified work that a text names; None where it cannot be told to be one."""
    return next((reference for reference in references if _is_named(reference, work)), None)


def _is_named(reference: Reference, work: NamedWork) -> bool:
    if work.identifier:
        address = reference.url.casefold()
        return work.identifier == reference.doi or address.endswith(f"/{work.identifier}")
    if not work.families or (work.year and work.year != reference.year):
        return False
    # A list may have begun before its authors, as in "In Toronto, Hinton and Salakhutdinov".
    lists = [work.families[place:] for place in range(max(1, len(work.families) - 1))]
    return any(_wrote(families, reference) for families in lists)


def _wrote(families: tuple[str, ...], reference: Reference) -> bool:
    whole = [rf"(?<!\w){re.escape(family.casefold())}(?!\w)" for family in families]
    return bool(re.match(whole[0], reference.authors.casefold())) and all(
        re.search(family, reference.text.casefold()) for family in whole
    )


def _by_author(text: str, no_authors: Collection[str], shown: Callable[[int], str]) -> Iterator[NamedWork]:
    for match in _BY_AUTHOR.finditer(text):
        said = match["unpublished"] or match["year"] or match["bare"]
        year = markup.replace_marks(said, shown) if said else ""
        if not (match["others"] or match["unpublished"] or re.fullmatch(r"(?:1[89]|20)\d\d", year)):
            continue
        end = match.end() if said else match.end("authors")
        # In "(OpenAI, 2023)" a year is never that of a data set, as it may be in "ImageNet (2012)".
        sure = bool(match["others"]) or (
            match["bare"] is not None and "," in text[match.end("authors") : end]
        )
        start, families = _families(match["authors"], match["others"], no_authors, sure=sure)
        if families:
            yield NamedWork(match.start() + start, end, families, year)


def _families(
    authors: str, others: str | None, no_authors: Collection[str], *, sure: bool
) -> tuple[int, tuple[str, ...]]:
    """Where the authors begin, and their names: what stands before them, such as "In", is none of them."""
    listed = authors.removesuffix(others or "")
    start = 0
    families: list[str] = []
    for match in re.finditer(_NAME, listed):
        if match[0].casefold() in no_authors or not (sure or _like_a_family(match[0])):
            start, families = match.end(), []
        else:
            start = start if families else match.start()
            families.append(match[0])
    return start, tuple(families)


def _like_a_family(name: str) -> bool:
    """Whether it is written as family names are, and not as ImageNet, MNIST or CIFAR-10 are."""
    last = name.split(" ")[-1]
    if any(character.isdigit() for character in last) or not last[0].isupper() or last.isupper():
        return False
    inner = _FAMILY_IN_TWO.sub("A", last, count=1)
    return all(not any(c.isupper() for c in part[1:]) for part in inner.split("-"))
