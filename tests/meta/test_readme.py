"""What the README and docs/ show works: workflows, commands, settings, links, pictures, quoted messages."""

import ast
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import dropwhile
from pathlib import Path
from typing import Any, Final

import click
import cmarkgfm
import jsonschema
import pytest
import yaml
from cmarkgfm.cmark import Options
from support.paths import PAGES, ROOT, SOURCES

from ci_action.cli import cli
from ci_action.commands.schema import schema_files
from ci_action.engine.test_run.job import MOST_RERUNS
from ci_action.model.result import Conclusion
from ci_action.reporters import check_run, comment, console, job_summary, sarif
from ci_action.reporters.html import findings as page_findings
from ci_action.reporters.html import sections as page_sections
from ci_action.reporters.outputs import ABOUT
from ci_action.settings import SETTINGS
from ci_action.settings.resolve import resolve
from ci_action.stages import tools
from ci_action.stages.gate_changes import loosened
from ci_action.stages.pr import changed_files, metadata
from ci_action.stages.pr.size import CLASSES
from ci_action.stages.pr.title.proposal import Around, look
from ci_action.stages.pr.title.rules import rules_of

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
# For contributors: their commands and links are checked, their style is not.
OTHERS: Final = tuple(
    ROOT / page for page in (".github/CONTRIBUTING.md", ".github/SECURITY.md", "tests/projects/README.md")
)
EVERY: Final = (*PAGES, *OTHERS)
ACTION: Final = re.compile(r"^org/ci-action@")
REUSABLE: Final = re.compile(r"^org/ci-action/(\.github/workflows/[\w-]+\.yml)@v1$")
PINNED: Final = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")
MOST_LINES: Final = 400
LONGEST_LINE: Final = 100
MOST_WORDS: Final = 25


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(language: str, *pages: Path) -> list[str]:
    texts = [page.read_text(encoding="utf-8") for page in pages or PAGES]
    return [
        block
        for text in texts
        for block in re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    ]


def workflows() -> list[str]:
    return [block for block in blocks("yaml") if re.search(r"^(on|jobs):", block, re.MULTILINE)]


def loaded(block: str) -> dict[str, Any]:
    # YAML 1.1, which PyYAML reads, takes the key `on` for true.
    return {"on" if key is True else key: value for key, value in yaml.safe_load(block).items()}


def steps(block: str) -> list[dict[str, Any]]:
    return [step for job in loaded(block)["jobs"].values() for step in job.get("steps", [])]


def calls(block: str) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Return the jobs that call one of our workflows, each with what that workflow declares."""
    found = {}
    for name, job in loaded(block)["jobs"].items():
        if "uses" in job:
            match = REUSABLE.match(job["uses"])
            assert match, job["uses"]
            found[name] = job, loaded((ROOT / match[1]).read_text("utf-8"))["on"]["workflow_call"]
    return found


def commands() -> list[list[str]]:
    """Return the words of every `ci-action …` in a block for the shell, behind variables as well."""
    lines = [line for block in blocks("sh", *EVERY) for line in block.splitlines()]
    words = [list(dropwhile(lambda word: "=" in word, shlex.split(line, comments=True))) for line in lines]
    return [line[1:] for line in words if line[:1] == ["ci-action"]]


def schema_of_workflows() -> dict[str, Any]:
    file = files("check_jsonschema") / "builtin_schemas" / "vendor" / "github-workflows.json"
    schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return schema


def test_every_block_of_code_is_of_a_kind_that_is_checked():
    for page in PAGES:
        kinds = re.findall(r"^```(\S*)\n.*?^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        assert set(kinds) <= {"yaml", "toml", "sh", "text"}, named(page)
    assert all(re.search(r"^jobs:", block, re.MULTILINE) for block in blocks("yaml")), "a part of a workflow"


def test_the_first_block_is_a_workflow_and_stands_at_the_top():
    assert workflows()[0] == blocks("yaml")[0]
    assert README.index("```yaml") < 1_000
    assert len(workflows()) > 15


@pytest.mark.parametrize("block", workflows())
def test_a_workflow_is_one_by_the_public_schema(block):
    jsonschema.validate(loaded(block), schema_of_workflows())


@pytest.mark.parametrize("block", workflows())
def test_a_workflow_pins_what_it_uses_and_keeps_no_credentials(block):
    assert loaded(block)["permissions"] == {"contents": "read"}
    for step in steps(block):
        assert "uses" not in step or ACTION.match(step["uses"]) or PINNED.match(step["uses"])
        if step.get("uses", "").startswith("actions/checkout@"):
            given = {key: value for key, value in step["with"].items() if key != "fetch-depth"}
            assert given == {"persist-credentials": False}


@pytest.mark.parametrize("block", workflows())
def test_a_workflow_names_inputs_and_outputs_that_exist(block):
    ours = [step for step in steps(block) if ACTION.match(step.get("uses", ""))]
    called = calls(block)
    assert ours or called
    assert all(set(step.get("with", ())) <= set(SETTINGS) for step in ours)
    assert all(set(job["with"]) <= set(declared["inputs"]) for job, declared in called.values())
    jobs = loaded(block)["jobs"]
    for where, name, output in re.findall(r"(steps|needs)\.([\w-]+)\.outputs\.([\w-]+)", block):
        if where == "steps":
            assert output in ABOUT
        else:
            assert output in (called[name][1]["outputs"] if name in called else jobs[name]["outputs"])


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not installed")
@pytest.mark.parametrize("block", workflows())
def test_a_workflow_passes_actionlint(block):
    done = subprocess.run(["actionlint", "-"], input=block.encode(), capture_output=True, check=False)
    assert done.stdout.decode() == ""
    assert done.returncode == 0


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_a_command_has_a_name_and_flags_that_exist(words):
    group = cli.make_context("ci-action", list(words), obj={"environ": {}})
    name, command, rest = cli.resolve_command(group, [*group._protected_args, *group.args])
    assert isinstance(command, click.Command)
    command.make_context(name, rest, parent=group)


@pytest.mark.parametrize("block", blocks("toml"))
def test_settings_are_valid_by_the_published_schema(block):
    schema = json.loads((ROOT / ".github/schema/settings.schema.json").read_bytes())
    jsonschema.validate(tomllib.loads(block)["tool"]["ci-action"], schema)


@pytest.mark.parametrize(("name", "text"), schema_files().items())
def test_a_published_schema_is_the_one_of_the_code(name, text):
    assert (ROOT / ".github/schema" / name).read_text(encoding="utf-8") == text, "run `make generate`"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_the_marks_of_cog_do_not_show(page):
    text = page.read_text("utf-8")
    html = cmarkgfm.github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE)
    shown = re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL)
    assert not re.search(r"\bcog\b", shown)
    assert "[[[" not in shown
    assert shown.count("<table>") == len(re.findall(r"^\| --- ", text, re.MULTILINE))


@pytest.mark.parametrize("page", EVERY, ids=named)
def test_a_link_inside_the_repository_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text(encoding="utf-8"))):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        there = page.parent / file if file else page
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("tool", tools().values(), ids=lambda tool: tool.name)
def test_a_link_of_the_program_to_our_pages_leads_somewhere(tool):
    ours = re.fullmatch(r"https://github\.com/org/ci-action/blob/v1/([^#]+)(?:#(.+))?", tool.url)
    assert ours or "org/ci-action" not in tool.url
    if ours:
        page = ROOT / ours[1]
        assert not ours[2] or ours[2] in anchors(page.read_text(encoding="utf-8"))
        assert page.is_file()


def test_every_page_is_reached_from_the_readme():
    reached, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in reached:
            reached.add(page)
            links = re.findall(r"\]\(([^)#\s]+\.md)", without_code(page.read_text(encoding="utf-8")))
            ahead += [(page.parent / link).resolve() for link in links if "://" not in link]
    assert set(PAGES) <= reached


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", without_code(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_short():
    assert len(README.splitlines()) <= MOST_LINES


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_lines_are_wrapped(page):
    # Rows of a table cannot be, nor can a link alone in its line.
    lines = without_code(page.read_text("utf-8")).splitlines()
    long = [line for line in lines if len(line) > LONGEST_LINE and not line.startswith(("|", "[!", "!["))]
    assert not long


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_sentences_are_short(page):
    assert not [text for text in sentences(page.read_text("utf-8")) if len(text.split()) > MOST_WORDS]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_words_are_those_of_the_field(page):
    text = re.sub(r"^#+ .*$|`[^`\n]*`", "", without_code(page.read_text("utf-8")), flags=re.MULTILINE)
    assert not re.findall(
        r"(?i)\b(?:nobody|somebody|(?:is|are) no|cannot be had|is told|by now|mends?)\b", text
    )


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of the paragraphs and of the items of lists; a link and code count as one word."""
    text = re.sub(r"<!--.*?-->", "", without_code(text), flags=re.DOTALL)
    text = re.sub(r"`[^`]+`", "code", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", "link", text)
    for paragraph in re.split(r"\n\s*\n|\n(?=[-|#<]|\d+\. )", text):
        if not paragraph.startswith(("|", "#", "<")):
            yield from re.split(r"(?<=[.:!?])[*_]*\s+", " ".join(paragraph.split()))


# A heading in code is a message of the program; `…` replaces a value or the surrounding text.
TROUBLES: Final = ROOT / "docs" / "troubleshooting.md"
MESSAGES: Final = re.findall(r"^### `(.+)`$", TROUBLES.read_text("utf-8"), re.MULTILINE)


@cache
def texts_of_the_program() -> tuple[str, ...]:
    """Return every text in the source, with `…` for the values in it, and those of the hints."""
    found = [file.read_text("utf-8") for file in SOURCES.rglob("*.toml")]
    for file in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return tuple(found)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_quoted_message_is_one_of_the_program(message):
    parts = [part.strip(" '") for part in message.split("…")]
    distinctive = [re.escape(part) for part in parts if part]
    assert len("".join(parts)) >= 12
    assert any(re.search(".*".join(distinctive), text, re.DOTALL) for text in texts_of_the_program())


def test_the_readme_has_every_result_with_its_exit_code():
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (\d) \|$", README, re.MULTILINE)
    assert {(one.value, str(one.exit_code.value)) for one in Conclusion} == set(rows)


def test_gate_changes_has_every_rule():
    page = (ROOT / "docs" / "stages" / "gate-changes.md").read_text("utf-8").partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)
    assert sorted(rows) == sorted(loosened.WEIGHTS)


def test_a_wrong_title_gets_what_its_page_shows():
    page = ROOT / "docs" / "stages" / "pr.md"
    (title,) = re.findall(r"^For `(.+)`:$", page.read_text("utf-8"), re.MULTILINE)
    (settings,) = (tomllib.loads(block)["tool"]["ci-action"] for block in blocks("toml", page))
    looked = look(title, rules_of(resolve(("flag", settings)).settings), Around())
    first, *others = looked.mistakes
    rows = [f"{first.rule}: {first.text}; proposed title: {looked.proposal}"]
    rows += [f"{one.rule}: {one.text}" for one in others]
    (shown,) = blocks("text", page)  # sorted, as in a report
    assert sorted(shown.splitlines()) == sorted(rows)


@pytest.mark.parametrize(
    "text",
    [
        f"`max-files` ({SETTINGS['max-files'].default})",
        *(f"`{name}` from {least:,}" for name, least in CLASSES.items() if name != "XS"),
    ],
)
def test_the_page_of_pr_has_the_numbers_of_the_code(text):
    assert text in " ".join((ROOT / "docs" / "stages" / "pr.md").read_text("utf-8").split())


@pytest.mark.parametrize(
    "text",
    [
        f"stops at {job_summary.LIMIT // 1024:,} KiB and {job_summary.MOST_FINDINGS} rows of findings",
        f"lists {console.MOST_FINDINGS} rows of findings in a shell",
        f"more than {sarif.MOST_RESULTS:,} results",
        f"up to {comment.MOST_FINDINGS} rows of findings of a run",
        f"{check_run.BATCH} annotations in a request",
        f"up to {check_run.MOST:,}, in the same order",
        f"up to {page_findings.MOST:,} rows of findings, {page_sections.MOST_ENTRIES} failed tests and {page_sections.MOST:,} files",
        f"lists after {metadata.MOST_ENTRIES} entries",
        f"API lists {changed_files.MOST_LISTED:,} of a pull request",
        f"more than {MOST_RERUNS} tests failed",
    ],
)
def test_the_limits_are_those_of_the_code(text):
    assert text in (ROOT / "docs" / "limits.md").read_text("utf-8")


def test_the_pictures_are_small():
    pictures = [file for file in (ROOT / ".github/images").iterdir() if file.suffix in {".svg", ".png"}]
    assert {picture.name for picture in pictures} == {"terminal.svg", "summary.png"}
    assert all(picture.stat().st_size < 300_000 for picture in pictures)
