"""The wording that prose is searched for: numbers, names with digits, quantities and claims in words."""

from __future__ import annotations

import re

MEASURES = frozenset(
    """
    accuracy accuracies acc error errors err loss losses mean median average score scores rate rates value
    values gain gains drop improvement reduction increase decrease percent percentage points mse rmse mae
    auc auroc bleu precision recall sd std variance about approximately only nearly almost over under of to
    by at is was are were from than and or the with in effect difference speedup times factor ratio result
    results n p x k
    """.split()  # noqa: SIM905
)
"""What a number follows; one of these words with digits is no name."""

MEASURED = frozenset(
    """
    accuracy error errors loss losses score scores rate rates mse rmse mae auc bleu perplexity percent
    percentage points pp gain gains improvement reduction effect effects speedup seconds minutes hours
    correct correctly wrongly misclassified mistakes
    """.split()  # noqa: SIM905
)
"""Words that make a sentence one about something measured."""

QUANTITY_AFTER = r"(?!\s*(?:%|‰|percent\b|per\s?cent\b|pp\b|points?\b|×|fold\b|times\b))(?![\w.,]*[%‰])"
"""What must not follow a name with digits: then it was a quantity."""

_WHOLE = r"(?![\w]|[.,]\d)"

NAME = re.compile(
    r"(?<![\w.,%+−/=-])(?P<stem>[A-Za-z]*[A-Z][A-Za-z]*)-?\d{1,4}[A-Za-z]{0,5}"
    rf"(?:-(?:\d{{1,4}}[A-Za-z]{{1,3}}|[A-Za-z]+))*{_WHOLE}{QUANTITY_AFTER}"
)
"""A name with a capital letter and digits, such as ResNet-50, F1-score, H1; never with a decimal."""

KNOWN_FORMS = re.compile(
    r"(?<![\w.,-])(?:\d{1,2}-NN|[23]-?[Dd]|[lL][012]|word2vec|(?:bf|fp|float|int|uint)(?:4|8|16|32|64)"
    r"|p(?:50|90|95|99)|x86(?:_64)?|utf-?8|sha-?256"
    r"|(?:GPT|Llama|Claude|Gemini|Gemma|Qwen|Phi|Mistral|DeepSeek|Falcon|OLMo|Pythia)-[1-9]\.\d"
    rf"(?:-(?:\d{{1,4}}[A-Za-z]{{1,3}}|[A-Za-z]+))*)(?!%){_WHOLE}{QUANTITY_AFTER}"
)
"""Names with digits that have no capital letter, and models by their version, such as GPT-3.5."""

_LABEL = r"(?:[1-9]|1\d|20)(?!\d)"
REFERENCE = re.compile(
    r"(?:\b(?:Sections?|Sec\.|Chapters?|Ch\.|Tables?|Tab\.|Figures?|Fig\.|Equations?|Eqs?\.|Appendix"
    r"|Algorithm|Theorem|Lemma|Proposition|Definition|Corollary)|§)"
    rf"\s*\(?{_LABEL}(?:\.{_LABEL}){{0,3}}\)?{_WHOLE}{QUANTITY_AFTER}"
)
"""A place in a text, such as Section 7.10.2: with a capital letter and small numbers."""

_AUTHORS = r"[A-Z][\w’'-]+(?:,? (?:and|&) [A-Z][\w’'-]+|,? et al\.?)?,?"
_YEAR_OF = r"(?:1[89]|20)\d\d[a-z]?"
YEAR = re.compile(rf"\b{_AUTHORS} \({_YEAR_OF}(?:, [^()\d]{{0,30}})?\)|\({_AUTHORS} {_YEAR_OF}\)")
"""The year of a citation, such as Breiman (1996)."""

BLOCK_REFERENCE = re.compile(r"(?<![\w.])@(?:tab|fig|sec|eq)-[\w:-]*(?!\w|[.,]\d|%)")
"""A table, figure, section or formula by its label, such as @tab-2."""

ADDRESS = re.compile(
    r"https?://[^\s<>()%]+|\bdoi:\s?10\.\d{4,9}/[^\s%]+|\barXiv:\s?\d{4}\.\d{4,5}(?:v\d)?(?![\w.])"
    r"|\[\^[A-Za-z0-9]{1,20}\]|\{#[A-Za-z][\w-]*\}"
)
"""Addresses, identifiers of papers, footnotes and labels."""

DIGITS_ALLOWED = (ADDRESS, BLOCK_REFERENCE, YEAR, REFERENCE, KNOWN_FORMS)
"""Where digits are no quantity."""

NUMBER = re.compile(
    r"[-+−±≈~<>≤≥]?\s?\d(?:[\d., ]*\d)?(?:\s?[eE][-+−]?\d+)?(?:\s?(?:%|‰|×|pp\b|percent\b|x\b))?"
)
"""Any digit, with what belongs to it."""

LETTER_DIGITS = re.compile(
    r"(?<![\w])(?:[lIoO]+(?:[.,][lIoO]+)?|[IVXLCDM]+|[ivxlcdm]+)"
    r"\s?(?:%|‰|per\s?cent\b|percentage points?\b|pp\b)"
)
"""Letters that pass for digits, such as lO% and XCV percent."""

_WORDS = (
    "zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundreds? thousands? "
    "millions? billions? trillions? dozens?"
).replace(" ", "|")
_PARTS = (
    r"half|halves|thirds?|quarters?|fifths?|sixths?|sevenths?|eighths?|ninths?|tenths?|twelfths?|twentieths?"
    r"|hundredths?|thousandths?|millionths?"
)
NUMBER_WORD = re.compile(
    rf"\b(?:{_WORDS})(?:[- ](?:one|{_WORDS}))*(?:-?fold)?\b"
    r"|\bone(?:[- ](?:percent|per\s?cent|point|percentage|order|fold|hundred|thousand|million|seed|run|in))\b"
    rf"|\b(?:a|an|by|one|two)[- ](?:{_PARTS})\b|\b(?:half|halves|halved|halving|twice|thrice)\b"
    r"|\b(?:doubl|tripl|quadrupl|quintupl|sextupl)(?:e|es|ed|ing)\b|\b\w+-?fold\b"
    r"|\borders?[- ]of[- ]magnitude\b"
    r"|\b(?:a|another) (?:(?:full|whole|single|mere) )?(?:per\s?cent|percentage[- ]point)\b"
    r"|\b(?:full|whole) points?\b|\b(?:twent|thirt|fort|fift|sixt|sevent|eight|ninet)ies\b",
    re.IGNORECASE,
)
"""A quantity in words; "one" alone is a pronoun."""

WORD_NAMES = re.compile(
    r"\b(?:double[- ](?:descent|blind|precision|Q\b|DQN)|half[- ](?:precision|life)|one-hot"
    r"|(?:two|one)-(?:sided|tailed|stage|way|sample|layer|vs)|(?:zero|one|few)-shot"
    r"|(?:cross|multi|k|per|out-of)[- ]?fold|manifold|scaffold\w*|unfold)\b",
    re.IGNORECASE,
)
"""Names that hold a number word."""

CLAIM = re.compile(
    r"\b(?:significan(?:t|tly|ce)|outperform\w*|surpass\w*|better|worse|best|worst|faster|slower|fewer"
    r"|improv(?:e|es|ed|ement|ements|ing)|superior|inferior|state[- ]of[- ]the[- ]art|prov(?:es|ed|en)"
    r"|always|never|no (?:effect|difference|change|benefit|gain)"
    r"|(?:does|do|did) not (?:help|matter|affect|change|improve|hurt)"
    r"|(?:higher|lower|larger|smaller|greater|less|more accurate|more stable) than|reduc(?:es|ed|tion)"
    r"|increas(?:es|ed)|decreas(?:es|ed)|lowers|raises|identical to|equivalent to|as good as"
    r"|confirm(?:s|ed)|support(?:s|ed) (?:the|our|this)|refut(?:es|ed)|negligible"
    r"|dramatic(?:ally)?|substantial(?:ly)?|flawless(?:ly)?|perfect (?:accuracy|score|classification))\b",
    re.IGNORECASE,
)
"""A comparative or an absolute claim."""

NOVELTY = re.compile(
    r"\b(?:novel|novelty|unprecedented|hitherto|groundbreaking"
    r"|(?:we are|this (?:paper|study|work|run) is) the first)\b",
    re.IGNORECASE,
)
"""That something is new, which no search can show."""

HEDGE = re.compile(
    r"\b(?:whether|hypothesi\w+|we ask|we test|question|expect\w*|predict(?:s|ed)? that|may|might|could|would"
    r"|if|is said|are said|cannot|not know|unknown|criterion|criteria)\b|\?",
    re.IGNORECASE,
)
"""What makes a sentence a question, a plan or a condition instead of a claim."""

SENTENCE_END = re.compile(r"(?<=[.!?])[\"”')\]]*\s+(?=[A-Z\ue000\ue002\[*“\"(])|\n{2,}")
"""Between sentences."""
