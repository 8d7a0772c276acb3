"""Which revisions are downgraded: those of the change or all, from the oldest that must be reversible on."""

import pytest
from support.migrations_sample import line_of, revision

from ci_action.settings.types import MigrationDepth
from ci_action.stages.migrations.selection import chosen

NEW, ALL = MigrationDepth.NEW, MigrationDepth.ALL
LINE = line_of(4, new=1)


@pytest.mark.parametrize(
    ("depth", "oldest", "checked", "absent"),
    [
        (NEW, "", ("0003",), False),
        (ALL, "", ("0000", "0001", "0002", "0003"), False),
        (ALL, "0002", ("0002", "0003"), False),
        (ALL, "0000", ("0000", "0001", "0002", "0003"), False),
        (NEW, "0002", ("0003",), False),
        (ALL, "0003", ("0003",), False),
        (ALL, "beef", ("0000", "0001", "0002", "0003"), True),
        (NEW, "beef", ("0003",), True),
    ],
)
def test_of_a_line(depth: MigrationDepth, oldest: str, checked: tuple[str, ...], absent: bool):
    found = chosen(LINE, depth, oldest)
    assert (found.checked, found.absent) == (checked, absent)
    assert found.new == ("0003",)


def test_a_revision_before_the_oldest_is_not_checked():
    assert chosen(line_of(4, new=3), NEW, "0002").checked == ("0002", "0003")


def test_a_prefix_names_a_revision_but_a_whole_name_wins():
    revisions = [revision("ab"), revision("abc", "ab"), revision("abcd", "abc")]
    assert chosen(revisions, ALL, "abc").checked == ("abc", "abcd")
    assert chosen(revisions, ALL, "abcd").checked == ("abcd",)
    assert chosen(revisions, ALL, "a").checked == ("ab", "abc", "abcd")


def test_branches_merges_and_dependencies_follow():
    revisions = [
        revision("a"),
        revision("b", "a"),
        revision("c", "a"),
        revision("m", "b", "c"),
        revision("o", depends_on=("b",)),
    ]
    assert chosen(revisions, ALL, "b").checked == ("b", "m", "o")
    assert chosen(revisions, ALL, "c").checked == ("c", "m")


def test_a_revision_of_the_base_branch_alone_is_not_on_the_disk():
    revisions = [*LINE, revision("other", "0002", path=None)]
    assert "other" not in chosen(revisions, ALL, "").checked
