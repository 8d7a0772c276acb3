"""Inputs of the test stage."""

from pydantic import BaseModel

from ci_action.settings.field import SetBy, setting
from ci_action.settings.types import Commands, Items, Percent, RunAs, Shard, Words, Workers


class Tests(BaseModel):
    """What the tests and their coverage go by."""

    coverage_min: Percent = setting(
        None,
        "Minimum coverage in percent. Not rounded: 89.996 fails a minimum of 90.",
        stage="test",
        shown="the project's `fail_under`",
        set_by=SetBy.ANYONE,
    )
    patch_coverage_min: Percent = setting(
        None,
        "Minimum coverage of the changed lines in percent.",
        stage="test",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    coverage_source: Items = setting(
        (),
        "Folders or packages to measure coverage of.",
        stage="test",
        shown="from the configuration of coverage, else the packages of the project",
        set_by=SetBy.ANYONE,
    )
    install: Commands = setting(
        (),
        "Commands that install the environment, one a line; `python` is its interpreter. `none` uses the"
        " active environment.",
        stage="test",
        shown="from the project's files",
        set_by=SetBy.ANYONE,
    )
    system_packages: Items = setting(
        (),
        "Debian packages to install first, in the container only.",
        stage="test",
        shown=" ",
        set_by=SetBy.WORKFLOW,
    )
    run_as: RunAs = setting(
        RunAs.OWNER,
        "User that runs the project's code in the container: `owner` of the workspace, or `root`, who can"
        " read the tokens of ci-action and use the Docker socket.",
        stage="test",
        shown="owner",
        set_by=SetBy.WORKFLOW,
    )
    pytest_args: Words = setting(
        (), "Additional options for pytest, as in a shell.", stage="test", shown=" ", set_by=SetBy.ANYONE
    )
    workers: Workers = setting(
        "",
        "Number of processes for the tests, by pytest-xdist, or `auto`.",
        stage="test",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    shard: Shard = setting(
        "",
        "Part of the tests to run, such as `2/4`; `merge` joins the parts.",
        stage="test",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    wait_for: Items = setting(
        (),
        "Services to wait for before the tests: `postgres://`, `redis://`, `mysql://`, `amqp://`,"
        " `memcached://`, `http://`, `https://`, `tcp://`.",
        stage="test",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    reruns: int = setting(
        0,
        "Number of reruns for failed tests. Tests that pass on a rerun are reported as flaky.",
        stage="test",
        ge=0,
        le=10,
        set_by=SetBy.ANYONE,
    )
