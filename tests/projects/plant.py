"""Write secrets into a sample project, put together here so that none is committed: `python plant.py FOLDER`."""

import sys
from pathlib import Path
from typing import Final

# Made up, and of the shape that scanners look for.
SECRETS: Final = {
    "AWS Access Key": "AKIA" + "Q3EGRVKXN2" + "WB7TZD",
    "Secret Keyword": "gull" + "-wing-" + "Kq7vX9",
}


def plant(project: Path) -> list[str]:
    """Write the file with the secrets; return their values."""
    aws, word = SECRETS.values()
    text = f'"""What the beacon signs in with."""\n\nAWS_KEY = "{aws}"\nDB_PASS' + f'WORD = "{word}"\n'
    (project / "beacon" / "access.py").write_text(text, encoding="utf-8")
    return list(SECRETS.values())


if __name__ == "__main__":
    plant(Path(sys.argv[1]))
