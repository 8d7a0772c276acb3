"""coverage.xml and lcov.info are what coverage itself writes, and names in them are only names."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from support.builders import (
    STARTED,
    covered,
    file_coverage,
    publication,
    run_result,
    without,
)
from support.hostile_text import FOREIGN
from support.paths import GOLDEN

from ci_action.model.coverage import Coverage
from ci_action.reporters import cobertura
from ci_action.reporters.encode import xml_text
from ci_action.stages.test.coverage import from_json

RECORDED = GOLDEN / "coverage"
# What the format of Cobertura asks of each element: its children in their order, and its attributes.
RATES = {"line-rate", "branch-rate"}
SUMS = {"lines-covered", "lines-valid", "branches-covered", "branches-valid"}
FORMAT = {
    "coverage": ("(sources )?packages ", RATES | SUMS | {"complexity", "version", "timestamp"}),
    "sources": ("(source )*", set()),
    "source": ("", set()),
    "packages": ("(package )*", set()),
    "package": ("classes ", RATES | {"name", "complexity"}),
    "classes": ("(class )*", set()),
    "class": ("methods lines ", RATES | {"name", "filename", "complexity"}),
    "methods": ("", set()),
    "lines": ("(line )*", set()),
    "line": ("", {"number", "hits"}),
}


def sample(name: str) -> Coverage:
    return from_json(json.loads((RECORDED / f"{name}.json").read_text("utf-8")))


def xml(coverage: Coverage) -> ET.Element:
    return ET.fromstring("".join(cobertura.cobertura(coverage, STARTED)).encode("utf-8"))


def content(root: ET.Element) -> dict[str, Any]:
    """Return what a reader takes from a Cobertura file."""
    return {
        "totals": {name: root.get(name) for name in SUMS},
        "packages": {one.get("name") for one in root.iter("package")},
        "files": {
            one.get("filename"): [
                {key: line.get(key) for key in ("number", "hits", "branch", "condition-coverage")}
                for line in one.iter("line")
            ]
            for one in root.iter("class")
        },
    }


def rates(root: ET.Element) -> dict[str, float]:
    return {
        f"{one.tag} {one.get('filename', one.get('name'))} {rate}": float(one.get(rate, "nan"))
        for one in root.iter()
        if "line-rate" in one.attrib
        for rate in RATES
    }


@pytest.mark.parametrize("name", ["branches", "lines"])
def test_cobertura_equals_that_of_coverage(name: str):
    theirs = ET.fromstring((RECORDED / f"{name}.xml").read_bytes())
    ours = xml(sample(name))
    assert content(ours) == content(theirs)
    assert rates(ours) == pytest.approx(rates(theirs), abs=1e-4)


@pytest.mark.parametrize("name", ["branches", "lines"])
def test_lcov_equals_that_of_coverage(name: str):
    def lines(text: str) -> list[str]:
        # Only coverage lists functions, and its names for the end of a branch are for people.
        rows = [row for row in text.splitlines() if not row.startswith("FN")]
        return [re.sub(r"^(BRDA:\d+,0),.*,", r"\1,", row) for row in rows]

    ours = "".join(cobertura.lcov(sample(name)))
    assert lines(ours) == lines((RECORDED / f"{name}.lcov").read_text("utf-8").rstrip("\n") + "\n")


def test_cobertura_has_the_shape_of_its_format():
    for name in ("branches", "lines"):
        for element in xml(sample(name)).iter():
            children, attributes = FORMAT[element.tag]
            assert re.fullmatch(children, "".join(f"{child.tag} " for child in element)), element.tag
            extra = {"branch", "condition-coverage"} if element.tag == "line" else set()
            assert attributes <= set(element.attrib) <= attributes | extra


def test_rates_are_exact():
    executed = frozenset(range(1, 22_500))
    one = file_coverage(executed=executed, missing=frozenset({22_500}))
    root = xml(Coverage(files={one.path: one}))
    assert float(root.get("line-rate", "")) == 22_499 / 22_500
    assert root.get("branch-rate") == "0"
    assert root.get("timestamp") == "1767323045000"


def test_a_file_without_statements_is_covered():
    one = file_coverage(executed=frozenset(), missing=frozenset())
    root = xml(Coverage(files={one.path: one}))
    assert (root.get("line-rate"), root.get("lines-valid")) == ("1", "0")
    assert "".join(cobertura.lcov(Coverage(files={one.path: one}))) == "SF:src/app.py\nend_of_record\n"


@given(FOREIGN)
def test_hostile_names_are_names(text: str):
    path = f"src/{text}.py"
    coverage = Coverage(files={path: file_coverage(path)})
    (found,) = xml(coverage).iter("class")
    assert found.get("filename") == xml_text(path)
    rows = "".join(cobertura.lcov(coverage)).split("\n")
    assert [row.partition(":")[0] for row in rows] == ["SF", *["DA"] * 5, "LF", "LH", "end_of_record", ""]
    assert rows[0].isprintable()


def test_both_are_written_where_there_is_coverage(tmp_path: Path):
    shown = publication(tmp_path)
    cobertura.report(without(run_result(covered(file_coverage("s3cr3t.py"))), "s3cr3t"), shown)
    assert shown.written == {"coverage.xml", "lcov.info"}
    assert all("s3cr3t" not in file.read_text("utf-8") for file in shown.folder.iterdir())
    nothing = publication(tmp_path)
    cobertura.report(run_result(), nothing)
    assert nothing.written == set()
