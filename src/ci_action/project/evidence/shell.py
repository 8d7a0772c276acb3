"""Read commands of a shell as text: nothing is expanded but variables that the text itself sets, and nothing is started."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

_ENDS: Final = "\n;&|()"
_CLOSING: Final = {"$(": ")", "${": "}", "{{": "}", "$[": "]"}
_HEREDOC: Final = re.compile(r"<<-?\s*(['\"]?)([A-Za-z_]\w*)\1")
_ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)[:?+]?=(.*)", re.DOTALL)
_VARIABLE: Final = re.compile(r"\$(?:\((\w+)\)|\{(\w+)\}|([A-Za-z_]\w*))|\{\{\s*(\w+)\s*\}\}")
_DECLARING: Final = frozenset({"export", "local", "readonly", "declare"})
_SUCCEEDING: Final = frozenset({"true", ":", "echo", "/bin/true"})
_DEEPEST: Final = 5
_LONGEST: Final = 10_000


@dataclass(frozen=True)
class Line:
    """The words of one command, and whether its failure is ignored."""

    words: tuple[str, ...]
    advisory: bool = False


def lines_in(text: str, variables: Mapping[str, str] | None = None) -> Iterator[Line]:
    """Yield the commands of a text; `variables` are known beside those that it sets itself."""
    known = dict(variables or {})
    found = _Splitter(text).split()
    for index, (words, end) in enumerate(found):
        following = found[index + 1][0] if index + 1 < len(found) else []
        ignored = end == "|" and following[:1] == ["||"] and following[1:2] and following[1] in _SUCCEEDING
        expanded = [one for word in words if word != "||" for one in _expanded(word, known)]
        while expanded and (expanded[0] in _DECLARING or _ASSIGNMENT.fullmatch(expanded[0])):
            if given := _ASSIGNMENT.fullmatch(expanded.pop(0)):
                known[given[1]] = given[2]
        if expanded:
            yield Line(tuple(expanded), advisory=bool(ignored))


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """Replace the variables that are known: `$NAME`, `${NAME}`, `$(NAME)`, `{{ NAME }}`."""
    for _ in range(_DEEPEST):
        fuller = _VARIABLE.sub(
            lambda match: variables.get(next(filter(None, match.groups())), match[0]), text
        )
        if fuller == text or len(fuller) > _LONGEST:
            break
        text = fuller
    return text


def _expanded(word: str, variables: Mapping[str, str]) -> list[str]:
    """Return a word with its variables replaced; a variable that is the whole word may become several."""
    fuller = expanded(word, variables)
    return fuller.split() if fuller != word and _VARIABLE.fullmatch(word) else [fuller]


@dataclass
class _Splitter:
    """Divides a text into commands and these into words, by the rules of quotes, comments and substitutions."""

    text: str
    at: int = 0
    word: str | None = None
    words: list[str] = field(default_factory=list)
    found: list[tuple[list[str], str]] = field(default_factory=list)
    redirects: bool = False
    """Whether the next word is the file of a redirection."""
    documents: list[str] = field(default_factory=list)
    """The words that end the documents which begin with the next line."""

    def split(self) -> list[tuple[list[str], str]]:
        """Return the words of each command, and the character that ends it."""
        while self.at < len(self.text):
            self._step(self.text[self.at])
        self._end("\n")
        return self.found

    def _step(self, char: str) -> None:
        if char in "'\"`":
            self._quoted(char)
        elif char == "\\":
            self._escaped()
        elif self.text[self.at : self.at + 2] in _CLOSING:
            self._substitution(_CLOSING[self.text[self.at : self.at + 2]])
        elif char == "#" and self.word is None:
            newline = self.text.find("\n", self.at)
            self.at = len(self.text) if newline < 0 else newline
        elif char == "(" and (self.word or "").endswith("="):
            self._array()
        elif char in _ENDS:
            self._separator(char)
        elif char in "<>":
            self._redirection()
        elif char.isspace():
            self._end_word()
            self.at += 1
        else:
            self.word = (self.word or "") + char
            self.at += 1

    def _quoted(self, quote: str) -> None:
        end = self.at + 1
        while end < len(self.text) and self.text[end] != quote:
            end += 2 if self.text[end] == "\\" and quote != "'" else 1
        if end >= len(self.text):  # it does not end: an apostrophe in the text of a line
            newline = self.text.find("\n", self.at)
            self.at = len(self.text) if newline < 0 else newline
            return
        inner = self.text[self.at + 1 : end]
        if quote == "`":
            inner = f"`{inner}`"
        self.word = (self.word or "") + (re.sub(r'\\(["\\$`])', r"\1", inner) if quote == '"' else inner)
        self.at = end + 1

    def _escaped(self) -> None:
        following = self.text[self.at + 1 : self.at + 2]
        if following == "\r":
            following = "\n"
            self.at += 1
        if following != "\n":
            self.word = (self.word or "") + following
        self.at += 2

    def _substitution(self, closing: str) -> None:
        """Keep a substitution as a part of the word, with everything in it."""
        opening = self.text[self.at + 1]
        depth, end = 0, self.at
        while end < len(self.text):
            depth += (self.text[end] == opening) - (self.text[end] == closing)
            end += 1
            if depth == 0 and self.text[end - 1] == closing:
                break
        self.word = (self.word or "") + self.text[self.at : end]
        self.at = end

    def _array(self) -> None:
        end = self.text.find(")", self.at)
        end = len(self.text) if end < 0 else end
        self.word = f"{self.word}{' '.join(self.text[self.at + 1 : end].split())}"
        self.at = end + 1

    def _separator(self, char: str) -> None:
        either = self.text[self.at : self.at + 2] == "||"
        self._end(char)
        self.at += 1
        if either:
            self.words = ["||"]
            self.at += 1
        elif char == "\n":
            self._skip_documents()

    def _redirection(self) -> None:
        if document := _HEREDOC.match(self.text, self.at):
            self.documents.append(document[2])
            self.at = document.end()
            return
        if (self.word or "x").isdigit():
            self.word = None
        self._end_word()
        while self.at < len(self.text) and self.text[self.at] in "<>&|":
            self.at += 1
        self.redirects = True

    def _skip_documents(self) -> None:
        for end in self.documents:
            closing = re.compile(rf"^\s*{end}\s*$", re.MULTILINE).search(self.text, self.at)
            self.at = closing.end() if closing else len(self.text)
        self.documents = []

    def _end_word(self) -> None:
        if self.word is not None and not self.redirects:
            self.words.append(self.word)
        if self.word is not None:
            self.redirects = False
        self.word = None

    def _end(self, char: str) -> None:
        self._end_word()
        self.redirects = False
        if self.words:
            self.found.append((self.words, char))
        self.words = []
