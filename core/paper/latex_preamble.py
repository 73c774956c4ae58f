"""The head of a LaTeX file: its few packages, and the commands that the rest of it uses."""

from __future__ import annotations

from typing import Final

PREAMBLE: Final = r"""% pdflatex -jobname=latex, twice, leaves paper.pdf, which holds the evidence, alone.
% The works that are cited are in references.bib, too.
\pdfminorversion=7
\documentclass[10pt,twocolumn]{article}
\usepackage[utf8]{inputenc}
\usepackage[margin=0.8in,columnsep=0.26in]{geometry}
\usepackage{amsmath,amssymb,graphicx,array,color}
\IfFileExists{booktabs.sty}{\usepackage{booktabs}}{%
  \newcommand{\toprule}{\hline}\newcommand{\midrule}{\hline}\newcommand{\bottomrule}{\hline}}
\usepackage[round]{natbib}
\usepackage[bookmarks=false,colorlinks=true,allcolors=evidence]{hyperref}
\definecolor{evidence}{rgb}{0.11,0.31,0.49}
\definecolor{warning}{rgb}{0.61,0.17,0.12}
\newcommand{\struck}[1]{\textcolor{warning}{[struck: #1]}}
\newcommand{\draftbanner}[1]{\fcolorbox{warning}{white}{%
  \parbox{0.9\textwidth}{\centering\normalsize\textcolor{warning}{\textbf{#1}}}}\\[1.2em]}
\newcommand{\entry}[2]{\par\noindent\hangindent=2.6em\hangafter=1\makebox[2.6em][l]{#1}#2\par\smallskip}
\newcommand{\codeline}[1]{\par\noindent\hangindent=2em\hangafter=1\texttt{#1}\strut\par}
% As wide as a column, and no larger where it is narrower.
\newcommand{\fitting}[1]{\sbox0{#1}\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi}
% Over several lines, where it is much wider than a column.
\newcommand{\breaking}[1]{\sbox0{$\displaystyle #1$}\ifdim\wd0>1.25\linewidth
  \parbox{\linewidth}{\raggedright\hangindent=1.5em\hangafter=1$\displaystyle #1$}\else\fitting{\usebox0}\fi}
\DeclareRobustCommand{\evidencelink}[2]{\hyperlink{ev-#1}{#2}}
\DeclareRobustCommand{\weblink}[2]{\href{#1}{#2}}
% Signs of LaTeX's own fonts: those of other encodings may be there as bitmaps only.
\renewcommand{\labelitemi}{$\bullet$}
\renewcommand{\labelitemiii}{$\ast$}
\renewcommand{\labelitemiv}{$\cdot$}
\setcounter{MaxMatrixCols}{60}
\setlength{\emergencystretch}{3em}
\raggedbottom
\setlength{\tabcolsep}{3.5pt}
\setlength{\belowcaptionskip}{4pt}
\hfuzz=1pt
"""
"""Needs no more than LaTeX's base and recommended packages; without ``booktabs`` rules are plainer."""

ENTRY: Final = {
    "hypothesis": r"\entry{{\textbf{{{0}}}}}{{\textbf{{{3}:}} {1}\newline Criterion: {2}\newline "
    r"Effect and interval: {4}; {5}\newline Hash: {6}}}",
    "attempt": r"\entry{{\textbf{{{0}}}}}{{{1}\newline {2}, {3}; {4}; USD {5}; {6}}}",
    "number": r"\entry{{{0}}}{{\textbf{{{1}}} {2}\newline {3}; n = {4}; {5}; {6}}}",
}
"""Entries of the appendix; their cells are those of the tables in ``paper.md``."""
