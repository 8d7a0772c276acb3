"""Skips lines in which the engine of detect-secrets cannot find anything.

The engine calls every plugin for every line. Here a whole file is searched at once with the plugins' own expressions; only
lines with a match go through the engine, and only to the plugins of the match. It depends on the internals of one release,
so it is only used with that.
"""

import bisect
import itertools
import re

from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.high_entropy_strings import HighEntropyStringsPlugin
from detect_secrets.plugins.keyword import DENYLIST, KeywordDetector

_OWN_PLUGINS = "detect_secrets.plugins."
_ASSIGNED = ("key", "pw", "pass", "token")
# Everything that a plugin finds contains one of these; those in lower case match in any case.
_STEMS = {
    "ArtifactoryDetector": ("AKC", "AP"),
    "AWSKeyDetector": ("A3T", "ABIA", "ACCA", "AKIA", "ASIA", "aws"),
    "AzureStorageKeyDetector": ("accountkey=",),
    "BasicAuthDetector": ("://",),
    "CloudantDetector": (*_ASSIGNED, "cloudant.com"),
    "GitHubTokenDetector": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    "IbmCloudIamDetector": _ASSIGNED,
    "IbmCosHmacDetector": ("secret",),
    "JwtTokenDetector": ("eyj",),
    "KeywordDetector": ("key", "pass", "pwd", "secret", "contrase"),
    "MailchimpDetector": ("-us",),
    "NpmDetector": (":_authtoken=",),
    "OpenAIDetector": ("t3blbkfj",),
    "PrivateKeyDetector": ("private key", "putty-user-key-file-2"),
    "PypiTokenDetector": ("pypi-ag",),
    "SendGridDetector": ("SG.",),
    "SlackDetector": ("xox", "slack"),
    "SoftlayerDetector": (*_ASSIGNED, "softlayer"),
    "SquareOAuthDetector": ("sq0csp-",),
    "StripeDetector": ("k_live_",),
    "TwilioKeyDetector": ("AC", "SK"),
}


class Engine:
    """The engine's loop over lines and plugins, for the lines with a match."""

    def __init__(self, scan, plugins, *, lines_first):
        self._scan = scan
        self._plugins = plugins
        self._candidates = Prefilter(plugins).candidates
        self._lines_first = lines_first

    def process(self, lines, filename):
        """Replace the engine's function with this signature."""
        content = [line for _, line in lines]
        for index, numbers in sorted(self._candidates(content).items()):
            line_number, line = lines[index]
            line = line.rstrip()
            context = self._scan.get_code_snippet(lines=content, line_number=line_number)
            facts = dict(filename=filename, line=line, context=context)
            if self._lines_first and self._scan._is_filtered_out(["line"], **facts):
                continue
            plugins = [self._plugins[number] for number in sorted(numbers)]
            found = [secret for plugin in plugins for secret in self._secrets(plugin, line_number, **facts)]
            if found and (self._lines_first or not self._scan._is_filtered_out(["line"], **facts)):
                yield from found

    def _secrets(self, plugin, line_number, **facts):
        for secret in self._scan._scan_line(plugin=plugin, line_number=line_number, **facts):
            if not self._scan._is_filtered_out(
                ["context"],
                secret=secret.secret_value,
                plugin=plugin,
                **{**facts, "filename": secret.filename},
            ):
                yield secret


class Prefilter:
    """Finds the lines that a plugin may match."""

    def __init__(self, plugins):
        self._always = []
        self._stemmed = []
        self._searched = []
        for number, plugin in enumerate(plugins):
            patterns = _patterns(plugin)
            stems = _STEMS.get(type(plugin).__name__, ())
            if not patterns:
                self._always.append(number)
            elif stems:
                self._stemmed.append((number, stems, patterns))
            else:
                self._searched += [(number, pattern) for pattern in patterns]
        self._stems = sorted({stem for _, stems, _ in self._stemmed for stem in stems})

    def candidates(self, lines):
        """Return the indexes of lines, each with the numbers of the plugins that may match it."""
        stripped = [line.rstrip() for line in lines]  # as the plugins see them
        text = _Text(stripped)
        found = {index: set(self._always) for index in range(len(lines))} if self._always else {}
        for number, pattern in self._searched:
            for index in text.matched(pattern):
                found.setdefault(index, set()).add(number)
        holding = {stem: text.holding(stem) for stem in self._stems}
        for number, stems, patterns in self._stemmed:
            for index in set().union(*(holding[stem] for stem in stems)):
                if any(pattern.search(stripped[index]) for pattern in patterns):
                    found.setdefault(index, set()).add(number)
        return found


class _Text:
    """The lines of a file in one text."""

    def __init__(self, lines):
        self._lines = lines
        self._text = "\n".join(lines)
        self._small = self._text.lower()
        self._starts = None
        # If lower case has another length, or a letter matches `s` but is not lowered to it, stems are not searched.
        self._odd = len(self._small) != len(self._text) or "\u017f" in self._text

    def _index(self, position):
        if self._starts is None:
            self._starts = list(itertools.accumulate((len(line) + 1 for line in self._lines), initial=0))
        return bisect.bisect_right(self._starts, position) - 1

    def matched(self, pattern):
        """Yield the indexes of all lines that a match touches: it may go over the end of a line by accident."""
        for match in pattern.finditer(self._text):
            yield from range(self._index(match.start()), self._index(max(match.start(), match.end() - 1)) + 1)

    def holding(self, stem):
        """Return the indexes of the lines with a stem."""
        if self._odd:
            return set(range(len(self._lines)))
        text = self._small if stem == stem.lower() else self._text
        found = set()
        position = text.find(stem)
        while position >= 0:
            index = self._index(position)
            found.add(index)
            position = text.find(stem, self._starts[index + 1])
        return found


def _patterns(plugin):
    """Return expressions one of which matches whatever a plugin finds; none if they are unknown."""
    if not type(plugin).__module__.startswith(_OWN_PLUGINS):
        return []
    if isinstance(plugin, RegexBasedDetector):
        return [re.compile(one.pattern, one.flags | re.MULTILINE) for one in plugin.denylist]
    if isinstance(plugin, HighEntropyStringsPlugin):
        # n characters have at most log2(n) bits each, so shorter strings are below the limit.
        shortest = max(1, int(2**plugin.entropy_limit))
        return [re.compile(r"(['\"])[%s]{%d,}\1" % (re.escape(plugin.charset), shortest))]
    if isinstance(plugin, KeywordDetector):
        return [re.compile("|".join(DENYLIST), re.IGNORECASE)]
    return []
