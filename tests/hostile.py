"""Text as a pull request may bring it: pieces that mean something to a runner, a renderer or a terminal."""

from hypothesis import strategies as st

PIECES = [
    *(
        "::",
        "::error::",
        "##[",
        "##[error]",
        "]",
        "set-output name=a",
        "%0A",
        "%25",
        ":",
        ",",
        "=",
        "<<",
        "EOF",
    ),
    *(
        "`",
        "``",
        "```",
        "~~~",
        "*",
        "**",
        "_",
        "~~",
        "#",
        "# ",
        "|",
        "| --- |",
        "-",
        "- [x] ",
        "1. ",
        ">",
        "\\",
    ),
    *("&lt;", "&#96;", "[a](http://b)", "![i](http://b)", "[^1]", "[a]: http://b", "http://a.bc", "www.a.bc"),
    *("<b>", "</code>", "</details>", "<!--", "<script>", "@user", "#12", "a@b.cd", ":tada:", "$x$", "[red]"),
    *("\n", "\r", "\r\n", "\n\n", "\t", "    ", "\x0b", "\x1c", "\x85", "\u2028", "\u3000", "\x1b[31m", "\0"),
    *("é", "🎉", "\ud800", "\udcff", "\ufeff", "\u202e"),
]
FOREIGN = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=10).map("".join)
