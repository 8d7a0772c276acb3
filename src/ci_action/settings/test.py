"""Inputs of the test stage."""

from pydantic import BaseModel

from ci_action.settings.field import SetBy, setting
from ci_action.settings.types import Commands, Items, Percent, RunAs, Shard, Words, Workers


class Tests(BaseModel):
    """What the tests and their coverage go by."""

    coverage_min: Percent = setting(
        None,
        "The least coverage in percent, exact: 89.996 is below 90.",
        stage="test",
        shown="the project's `fail_under`",
        set_by=SetBy.ANYONE,
    )
    patch_coverage_min: Percent = setting(
        None,
        "The least coverage of the lines that the change touched, in percent.",
        stage="test",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    coverage_source: Items = setting(
        (),
        "Folders or packages whose coverage is measured.",
        stage="test",
        shown="what the project configures, else its packages",
        set_by=SetBy.ANYONE,
    )
    install: Commands = setting(
        (),
        "How the environment is made, one command a line (`python` is its interpreter); `none` uses the current"
        " environment as it is.",
        stage="test",
        shown="what the project's files say",
        set_by=SetBy.ANYONE,
    )
    system_packages: Items = setting(
        (),
        "Debian packages to install first, in the container.",
        stage="test",
        shown=" ",
        set_by=SetBy.WORKFLOW,
    )
    run_as: RunAs = setting(
        RunAs.OWNER,
        "Who runs the project's code in the container: `owner` of the workspace, or `root`, who can read our"
        " tokens and drive the Docker socket.",
        stage="test",
        shown="owner",
        set_by=SetBy.WORKFLOW,
    )
    pytest_args: Words = setting(
        (), "Further options for pytest, as in a shell.", stage="test", shown=" ", set_by=SetBy.ANYONE
    )
    workers: Workers = setting(
        "",
        "Processes for the tests, by pytest-xdist: a number, or `auto`.",
        stage="test",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    shard: Shard = setting(
        "",
        "The part of the tests to run, such as `2/4`; `merge` joins the parts.",
        stage="test",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    wait_for: Items = setting(
        (),
        "Services to wait for before the tests: `postgres://`, `redis://`, `mysql://`, `amqp://`, `memcached://`, `http://`, `https://`, `tcp://`.",
        stage="test",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    reruns: int = setting(
        0,
        "How often failed tests are run again; those that pass then are flaky, and told apart.",
        stage="test",
        ge=0,
        le=10,
        set_by=SetBy.ANYONE,
    )
