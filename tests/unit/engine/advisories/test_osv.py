"""Records of advisories: severity and affected versions; nothing in them is trusted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from ci_action.engine.advisories.osv import Record, record_of, severity_of_vector

V3 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
V4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"


@pytest.mark.parametrize(
    ("vector", "severity"),
    [
        (V3, "critical"),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "high"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", "medium"),
        ("CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", "low"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "low"),
        (V4, "critical"),
        ("CVSS:4.0/AV:L/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N", "low"),
        ("AV:N/AC:L/Au:N/C:C/I:C/A:C", "high"),
        ("AV:L/AC:H/Au:M/C:P/I:N/A:N", "low"),
        ("7.5", "high"),
        ("99", ""),
        ("CVSS:3.1/AV:N", ""),
        ("CVSS:4.0/AV:N/AC:L", ""),
        ("nonsense", ""),
        ("", ""),
        (V3 + "/" * 1000, ""),
        (7, ""),
        (None, ""),
    ],
)
def test_the_level_of_a_vector(vector, severity):
    assert severity_of_vector(vector) == severity


def record(name: str = "PYSEC-1", **document) -> Record:
    found = record_of({"id": name, **document})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("document", "severity"),
    [
        (
            {"severity": [{"type": "CVSS_V3", "score": V3}], "database_specific": {"severity": "LOW"}},
            "critical",
        ),
        ({"severity": [{"score": "nonsense"}], "database_specific": {"severity": "MODERATE"}}, "medium"),
        ({"database_specific": {"severity": "medium"}}, "medium"),
        ({"database_specific": {"severity": "High"}}, "high"),
        ({"database_specific": {"severity": 7}}, ""),
        ({"database_specific": {"severity": "AWFUL"}}, ""),
        ({"affected": [{"severity": [{"score": V4}]}]}, "critical"),
        ({"affected": [{"database_specific": {"severity": "LOW"}}]}, "low"),
        ({"severity": 7, "database_specific": [], "affected": {"a": 1}}, ""),
        ({"severity": ["x", None, {"score": ["x"]}], "affected": [None, {"package": 7}]}, ""),
    ],
)
def test_the_level_of_a_record(document, severity):
    assert record(**document).severity == severity


def affected(*events: dict[str, str], name: str = "a") -> dict[str, object]:
    return {
        "package": {"ecosystem": "PyPI", "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": list(events)}],
    }


@pytest.mark.parametrize(
    ("events", "inside", "outside"),
    [
        ([{"introduced": "0"}, {"fixed": "2"}], ["0", "1.9"], ["2", "3"]),
        ([{"introduced": "2.0"}, {"fixed": "2.6"}, {"introduced": "0"}, {"fixed": "1.17"}], ["1.16", "2.0", "2.5"], ["1.17", "1.99", "2.6"]),
        ([{"introduced": "1"}], ["1", "99"], ["0.9"]),
        ([{"introduced": "1", "last_affected": "2"}], ["1", "2"], ["2.1", "0"]),
        ([{"introduced": "nonsense"}, {"fixed": 7}, {"limit": "*"}], [], ["1"]),
    ],
)  # fmt: skip
def test_the_affected_versions(events, inside, outside):
    spans = record(affected=[affected(*events, name="A")]).spans.get("a", ())
    assert [text for text in (*inside, *outside) if any(Version(text) in span for span in spans)] == inside


@pytest.mark.parametrize(
    "document", [None, 7, [], {}, {"id": 7}, {"id": "a b"}, {"id": "x\n::error::"}, {"id": "A" * 200}]
)
def test_what_is_no_record(document):
    assert record_of(document) is None


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["id", "aliases", "affected", "ranges", "events", "severity", "score", "package", "name", "fixed"]),
            inner, max_size=4,
        ),
    ),
    max_leaves=15,
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(["aliases", "affected", "severity", "database_specific", "withdrawn", "summary"]),
        JSON,
    )
)
def test_no_document_makes_it_crash(document):
    assert record(**document).ids >= {"PYSEC-1"}
