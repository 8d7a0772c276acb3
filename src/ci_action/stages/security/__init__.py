"""The stage `security`: dependencies, licences, secrets and weak spots."""

from typing import Final

from ci_action.engine.stage import Output
from ci_action.stages.security.section import AUDIT, SECRETS, is_secret, is_vulnerability, number_of

OUTPUTS: Final = (
    Output(
        "vulnerabilities",
        "How many known vulnerabilities of dependencies count; empty where none were looked for.",
        lambda stage: number_of(stage, AUDIT, is_vulnerability),
    ),
    Output(
        "secrets",
        "How many secrets in files count; empty where none were looked for.",
        lambda stage: number_of(stage, SECRETS, is_secret),
    ),
)
