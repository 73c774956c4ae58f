"""Replies of the literature's sources, in the shapes in which they were recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

ABSTRACT = (
    "Bagging predictors is a method for generating multiple versions of a predictor. "
    "If perturbing the learning set can cause significant changes in the predictor constructed, "
    "then bagging can improve accuracy."
)
SENTENCE = ABSTRACT.split(". ")[1]


def inverted(abstract: str) -> dict[str, list[int]]:
    """An abstract as OpenAlex sends it: where each word stands."""
    index: dict[str, list[int]] = {}
    for place, word in enumerate(abstract.split()):
        index.setdefault(word, []).append(place)
    return index


def openalex_work(
    title: str | None = "Bagging predictors",
    doi: str | None = "10.1007/BF00058655",
    *,
    authors: Sequence[str] = ("Leo Breiman",),
    year: int | None = 1996,
    abstract: str | None = ABSTRACT,
    retracted: bool = False,
    **changes: Any,
) -> dict[str, Any]:
    """One work of OpenAlex."""
    return {
        "doi": None if doi is None else f"https://doi.org/{doi}",
        "title": title,
        "authorships": [
            {
                "author_position": "first" if place == 0 else "middle",
                "author": {"id": f"https://openalex.org/A{place}", "display_name": name, "orcid": None},
                "institutions": [],
                "raw_affiliation_strings": [],
            }
            for place, name in enumerate(authors)
        ],
        "publication_year": year,
        "primary_location": {
            "is_oa": True,
            "landing_page_url": f"https://doi.org/{doi}",
            "source": {"id": "https://openalex.org/S62148650", "display_name": "Machine Learning"},
            "version": "publishedVersion",
        },
        "abstract_inverted_index": None if abstract is None else inverted(abstract),
        "is_retracted": retracted,
        **changes,
    }


def openalex_search(*works: Any) -> str:
    """An answer of OpenAlex to a search."""
    return json.dumps(
        {
            "meta": {"count": len(works), "db_response_time_ms": 31, "page": 1, "per_page": 8},
            "results": list(works),
            "group_by": [],
        }
    )


def arxiv_entry(
    arxiv: str = "1812.11118",
    title: str = "Reconciling modern machine learning practice and the bias-variance trade-off",
    *,
    authors: Sequence[str] = ("Mikhail Belkin", "Daniel Hsu", "Siyuan Ma", "Soumik Mandal"),
    abstract: str = "Breakthroughs in machine learning are rapidly changing science.\n  The curve is double.",
    comment: str = "",
    doi: str = "",
) -> str:
    """One entry of arXiv's Atom feed."""
    names = "".join(f"<author><name>{escape(name)}</name></author>" for name in authors)
    more = f"<arxiv:comment>{escape(comment)}</arxiv:comment>" if comment else ""
    more += f"<arxiv:doi>{escape(doi)}</arxiv:doi>" if doi else ""
    return (
        f"<entry><id>http://arxiv.org/abs/{arxiv}v2</id><updated>2019-09-10T17:38:46Z</updated>"
        f"<published>2018-12-28T18:47:37Z</published><title>{escape(title)}</title>"
        f"<summary>  {escape(abstract)}\n</summary>{names}{more}"
        f'<link href="http://arxiv.org/abs/{arxiv}v2" rel="alternate" type="text/html"/>'
        '<arxiv:primary_category term="stat.ML" scheme="http://arxiv.org/schemas/atom"/></entry>'
    )


def arxiv_feed(*entries: str) -> str:
    """An answer of arXiv."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom"'
        ' xmlns:arxiv="http://arxiv.org/schemas/atom">'
        '<link href="http://arxiv.org/api/query?" rel="self" type="application/atom+xml"/>'
        '<title type="html">ArXiv Query: search_query=all:x&amp;id_list=&amp;start=0</title>'
        "<id>http://arxiv.org/api/cHxbiOdZaP56ODnBPIenZhzg5f8</id>"
        '<opensearch:totalResults xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">1'
        f"</opensearch:totalResults>{''.join(entries)}</feed>"
    )


ARXIV_ERROR = arxiv_feed(
    "<entry><id>http://arxiv.org/api/errors#incorrect_id_format_for_1</id><title>Error</title>"
    "<summary>incorrect id format for 1</summary><author><name>arXiv api core</name></author></entry>"
)


def crossref_work(
    title: str = "Bagging predictors",
    doi: str = "10.1007/BF00058655",
    *,
    authors: Sequence[Mapping[str, str]] = ({"given": "Leo", "family": "Breiman"},),
    year: int | None = 1996,
    venue: str = "Machine Learning",
    **changes: Any,
) -> str:
    """The record of a DOI at Crossref."""
    message = {
        "indexed": {"date-parts": [[2026, 11, 1]], "timestamp": 1793491200000},
        "publisher": "Springer Science and Business Media LLC",
        "issue": "2",
        "DOI": doi,
        "type": "journal-article",
        "title": [title],
        "author": [{"sequence": "first", "affiliation": [], **author} for author in authors],
        "container-title": [venue],
        "issued": {"date-parts": [[year, 8] if year else [None]]},
        "is-referenced-by-count": 14093,
        **changes,
    }
    return json.dumps(
        {"status": "ok", "message-type": "work", "message-version": "1.0.0", "message": message}
    )


def handle(doi: str, *, exists: bool = True) -> str:
    """What the handle system says of a DOI."""
    values = [{"index": 1, "type": "URL", "data": {"format": "string", "value": "https://example.org/x"}}]
    found = {"responseCode": 1, "handle": doi, "values": values}
    return json.dumps(found if exists else {"responseCode": 100, "handle": doi})


PORTAL = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Welcome to our Wi-Fi</body></html>"
"""What a captive portal answers to everything, with status 200."""
