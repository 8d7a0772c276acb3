"""The stage `security`: dependencies, licences, secrets and security issues in the code."""

from typing import Final

from ci_action.engine.stage import Output
from ci_action.stages.security import section
from ci_action.stages.security.section import AUDIT, SECRET, SECRETS, VULNERABILITY, number_of

OUTPUTS: Final = (
    Output(
        "vulnerabilities",
        "Number of known vulnerabilities that are not muted; empty if dependencies were not checked.",
        lambda stage: number_of(stage, AUDIT, VULNERABILITY),
    ),
    Output(
        "secrets",
        "Number of secrets that are not muted; empty if files were not checked.",
        lambda stage: number_of(stage, SECRETS, SECRET),
    ),
)
SECTIONS: Final = section.of
