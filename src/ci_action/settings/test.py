"""Inputs of the test stage."""

from ci_action.settings import kinds
from ci_action.settings.field import SetBy, Setting
from ci_action.settings.types import RunAs


class Tests:
    """Settings of the tests and their coverage."""

    coverage_min = Setting(
        kinds.percent,
        SetBy.ANYONE,
        "Minimum coverage in percent. Not rounded: 89.996 fails a minimum of 90.",
        shown="the project's `fail_under`",
    )
    patch_coverage_min = Setting(
        kinds.percent, SetBy.ANYONE, "Minimum coverage of the changed lines in percent."
    )
    coverage_source = Setting(
        kinds.items,
        SetBy.ANYONE,
        "Folders or packages to measure coverage of.",
        shown="those of the project's own command, else of the configuration of coverage",
    )
    install = Setting(
        kinds.commands,
        SetBy.ANYONE,
        "Commands that install the environment, one a line; `python` is its interpreter. `none` uses the"
        " active environment.",
        shown="from the project's files",
    )
    groups = Setting(
        kinds.items,
        SetBy.ANYONE,
        "Dependency groups to install, instead of those that are named for tests: of pyproject.toml, Poetry,"
        " PDM or uv, or environments of Hatch.",
    )
    extras = Setting(
        kinds.items,
        SetBy.ANYONE,
        "Extras of the project to install, instead of those that are named for tests.",
    )
    before_tests = Setting(
        kinds.commands,
        SetBy.ANYONE,
        "Commands to run in the environment before the tests, one a line, such as a migration; they run as"
        " the owner of the workspace.",
    )
    system_packages = Setting(
        kinds.items, SetBy.WORKFLOW, "Debian packages to install first, in the container only."
    )
    run_as = Setting(
        kinds.choice(RunAs.OWNER),
        SetBy.WORKFLOW,
        "User that runs the project's code in the container: `owner` of the workspace, or `root`, who can"
        " read the tokens of ci-action and use the Docker socket.",
    )
    pytest_args = Setting(kinds.words, SetBy.ANYONE, "Additional options for pytest, as in a shell.")
    workers = Setting(
        kinds.workers, SetBy.ANYONE, "Number of processes for the tests, by pytest-xdist, or `auto`."
    )
    shard = Setting(
        kinds.shard, SetBy.ANYONE, "Part of the tests to run, such as `2/4`; `merge` joins the parts."
    )
    wait_for = Setting(
        kinds.addresses,
        SetBy.ANYONE,
        "Services to wait for before the tests. `postgres://` and `redis://` log in, `http://` and `https://`"
        " send a request; `mysql://`, `amqp://`, `memcached://` and `tcp://` only connect.",
    )
    reruns = Setting(
        kinds.whole(0, 10),
        SetBy.ANYONE,
        "Number of reruns for failed tests. Tests that pass on a rerun are reported as flaky.",
    )
