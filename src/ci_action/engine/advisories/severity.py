"""How severe a vulnerability is by its CVSS vector or score."""

import re
from typing import Final

# From which score on (CVSS 3 and 4; version 2 knows no critical).
_SCORES: Final = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.0, "low"))

_HIGHEST_SCORE: Final = 10.0

# The longest vectors, those of CVSS 4 with all optional metrics, have some 200 characters.
_LONGEST_VECTOR: Final = 400


def severity_of_vector(vector: object) -> str:
    """Return the severity of a CVSS vector, of version 2, 3 or 4, or of a bare score; empty for anything else."""
    if not isinstance(vector, str) or not 0 < len(vector) <= _LONGEST_VECTOR:
        return ""
    import cvss  # type: ignore[import-untyped]  # noqa: PLC0415 - untyped, and loaded only where something was found

    text = vector.strip()
    if re.fullmatch(r"\d{1,2}(\.\d+)?", text):
        return _severity_of_score(float(text))
    kind = (
        cvss.CVSS4 if text.startswith("CVSS:4") else cvss.CVSS3 if text.startswith("CVSS:3") else cvss.CVSS2
    )
    try:
        score = float(kind(text).scores()[0] if kind is not cvss.CVSS4 else kind(text).base_score)
    except (cvss.CVSSError, ArithmeticError, LookupError, TypeError, ValueError):
        return ""
    severity = _severity_of_score(score)
    return "high" if kind is cvss.CVSS2 and severity == "critical" else severity


def _severity_of_score(score: float) -> str:
    return next((severity for least, severity in _SCORES if least <= score <= _HIGHEST_SCORE), "")
