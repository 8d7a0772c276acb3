"""Write a project whose names and lines try to be more than text: `python tests/projects/hostile.py FOLDER`.

Such names cannot be committed (git on other systems refuses them), so the project is written when it is needed.
Everything in it is text that must arrive as text: no line of it may become a command of the runner, an option of a
tool, a part of the page, or a colour of the terminal.
"""

import os
import sys
from pathlib import Path
from typing import Final

PYPROJECT: Final = b"""[tool.black]
line-length = 100

[tool.ruff]
line-length = 100

[tool.ruff.lint]
select = ["E", "F", "W"]
"""

# What foreign text tries to be; no entry holds a quote or a backslash, so that each fits into a Python string.
TEXTS: Final = {
    "runner command": "::error::x",
    "runner command with properties": "::error file=app.py,line=1,title=owned::x",
    "runner output": "::set-output name=result::passed",
    "runner command in the old form": "##[set-output name=result]passed",
    "runner group": "::endgroup::",
    "runner stop": "::stop-commands::pause",
    "runner mask": "::add-mask::e",
    "escaped newline": "%0A::error::x%0D%0A::warning::y",
    "terminal colour": "\x1b[31mred\x1b[0m",
    "terminal title": "\x1b]0;owned\x07",
    "C1 control": "\x9b31mred",
    "table": "| a | b |",
    "code span": "`` ` ``",
    "fence": "```",
    "details": "</details></summary>",
    "mention": "@octocat and @org/everyone",
    "image": "<img src=https://evil.example/x.png>",
    "link": "[click](https://evil.example)",
    "comment": "<!-- gone -->",
    "heading": "# result: passed",
    "issue": "#1 GH-1 fixes #2",
    "direction": "\u202egnissap",
    "nothing to see": "\u200b\u2060\ufeff",
    "line separators": "a\u2028::error::x\u2029::error::y\x85::error::z",
    "shell": "$(touch owned) ; `id` && true",
    "secret": "${{ secrets.GITHUB_TOKEN }}",
}

# One folder of these is `<`, so that the path of the file in it reads `</details>.py`.
NAMES: Final = (
    b"::error::x.py",
    b"##[set-output name=result]passed.py",
    b"cr\r::add-mask::x.py",
    b"new\nline.py",
    b"new\n::error::x.py",
    b"tab\there.py",
    b"colour \x1b[31mred\x1b[0m.py",
    b"pipe | back`tick.py",
    b"<img src=x>.py",
    b"</details>.py",
    b"@octocat.py",
    b"[click](https:/evil.example).py",
    b"-x.py",
    b"--fix.py",
    b"--config=owned.toml.py",
    b"@file.py",
    b"100% %0A::error::y.py",
    b' leading and "quotes" and trailing .py',
    b"\xe2\x80\xaegnissap.py",
    b"a -> b.py",
    b"$(touch owned).py",
    b"back\\slash.py",
    b"*.py",
    b"!negated.py",
    b"#comment.py",
    b"caf\xc3\xa9.py",
    b"invalid \xff\xfe.py",
)


def source(number: int = 0) -> bytes:
    """Return Python that Black and Ruff complain about, hostile text in what they quote: lines, names, messages."""
    lines = [f"# {number}: {TEXTS['runner command']} {TEXTS['runner command in the old form']}"]
    lines += [f"# {text}" for text in TEXTS.values() if text.isprintable()]
    # The message of an undefined name in __all__ quotes the text itself; that of a repeated key does too.
    lines += ["__all__ = ["]
    lines += [f"  {text!a}," for text in TEXTS.values()]
    lines += ["]"]
    lines += ["KEYS = {"]
    lines += [f"  '{text}': {place}, '{text}': 0," for place, text in enumerate(_printable())]
    lines += ["}"]
    lines += ["def f( ):", "  x = '''", "::error::inside a string", "##[error]inside a string", "'''"]
    lines += ["  return undefined == None"]
    return ("\n".join(lines) + "\n").encode()


def _printable() -> list[str]:
    return [text for text in TEXTS.values() if text.isprintable()]


def files() -> dict[bytes, bytes]:
    """Return the content of every file by its name."""
    long = "x" * 10_000
    return {
        b"pyproject.toml": PYPROJECT,
        **{name: source(number) for number, name in enumerate(NAMES)},
        b"long_line.py": f"LONG = '{long}::error::x'\n".encode(),
        b"no_utf8.py": b"# coding: utf-8\nNAME = '\xff\xfe ::error::x'\n",
        b"no_parse.py": b"def broken(:\n::error::x\n##[error]x\n</details>\n",
        b"carriage_return.py": b"TEXT = '''a\r::error::x\r##[error]y\r'''\nimport os\n",
        b"escape.py": b"TEXT = '\x1b[31mred\x1b[0m' ;import os\n",
        b"crlf.py": b"import os\r\nx = [ 1 ]\r\n",
        b"nul.py": b"x = 1\n\0\n",
        b"bom.py": b"\xef\xbb\xbfimport os\n",
        b"no_newline.py": b"import os\nx = [ 1 ]",
        b"nested/::warning::folder/deep.py": b"import os\nx = [ 1 ]\n",
    }


def write(folder: Path) -> list[bytes]:
    """Write the project into a folder; return the names that the file system did not take."""
    refused = []
    for name, content in files().items():
        path = os.path.join(os.fsencode(folder), name)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as stream:
                stream.write(content)
        except OSError:
            refused.append(name)
    return refused


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} FOLDER")
    for missing in write(Path(sys.argv[1])):
        print(f"this file system takes no file named {missing!r}", file=sys.stderr)
