"""The tool as a whole, with a fake engine and a fake search: what is saved, read, cached and reported."""

import json
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from support.builders import FakeRun, bundled_tools, completed, context, write
from support.saved_images import ID, FakeImage, layer
from support.secret_scans import LINE, VALUE, Script, accepted

from ci_action.engine.context import Context
from ci_action.engine.tool import Checked
from ci_action.model.finding import Location
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.project.programs import Program
from ci_action.stages.docker.dockerfile import parse
from ci_action.stages.docker.image import TOOL, examined
from ci_action.stages.docker.model import Built
from ci_action.system.errors import InterruptedRunError, ToolError
from ci_action.system.process import Command, Completed
from ci_action.system.redaction import Redactor, credentials

TEXT = "FROM python:3.13\nCOPY . .\nRUN make\nUSER app\n"
BASE = {"etc/os-release": "x", "base.py": LINE}
COPIED = {"app/a.py": LINE, "app/b.py": "x = 1\n", "app/c.bin": "a\0b", "app/d.py": "x" * 1_000_001}
MADE = {"app/.wh.a.py": "", "app/made.py": LINE}
HISTORY = [
    ("RUN base", 9, True),
    ("COPY . . # buildkit", 5, True),
    ("RUN /bin/sh -c make # buildkit", 0, True),
    ("USER app", 0, False),
]


def image(**overrides: Any) -> FakeImage:
    values: dict[str, Any] = {"layers": [layer(one) for one in (BASE, COPIED, MADE)], "history": HISTORY}
    return FakeImage(**{**values, **overrides})


class Search(Script):
    """The fake search, which looks into the folder that it is started in; it answers one at a time."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._lock = Lock()

    def __call__(self, command: Command) -> Completed:
        with self._lock:
            self.root = command.cwd
            return super().__call__(command)


def ready(workspace: Path, engine: FakeImage, search: Search, **overrides: Any) -> Context:
    workspace.mkdir(exist_ok=True)
    tools = bundled_tools(workspace.parent / "tools", detect_secrets="1.5.0")
    write(workspace.parent / "tools", {"bin/python": ""})
    run = FakeRun(docker=engine, python=search)
    return context(workspace, run, bundled=tools, **overrides)


def examine(ctx: Context, text: str = TEXT) -> Checked:
    built = Built(
        name="ci-action/x:ci",
        id=ID,
        engine="docker 28.5.2",
        dockerfile=parse(text.encode(), "Dockerfile"),
        place=Location(path="Dockerfile", line=1),
        steps=(),
    )
    return examined(ctx, built)


def found(checked: Checked) -> list[tuple[str, int]]:
    return [(one.rule, one.line) for one in checked.outcome.findings]


@pytest.mark.parametrize(("oci", "packed"), [(False, False), (True, True)], ids=["docker-20", "oci-gzip"])
def test_secrets_of_own_layers_alone(oci: bool, packed: bool, tmp_path: Path):
    ctx = ready(tmp_path / "w", image(oci=oci, packed=packed), Search(tmp_path))
    checked = examine(ctx)
    assert found(checked) == [("secret-in-layer", 2), ("secret-in-layer", 3)]
    first, second = (one.message for one in checked.outcome.findings)
    assert "/app/a.py" in first
    assert "/app/made.py" in second
    assert ("later layer" in first, "later layer" in second) == (True, False)
    assert isinstance(checked.outcome, Report)
    assert checked.outcome.examined == {
        Counted.LAYERS: 3,
        Counted.PACKAGES: 0,
        Counted.FILES: 3,
        Counted.BINARY: 1,
        Counted.LEFT_OUT: 1,
    }
    assert checked.outcome.metrics == {"image_size": 1_000_000.0}
    assert checked.outcome.image is not None
    assert [(one.size, one.own) for one in checked.outcome.image.layers] == [(9, False), (5, True)]
    assert VALUE not in repr(checked)
    assert VALUE not in ctx.redact(f"x {VALUE}")
    assert not list(ctx.tempdir.rglob("image.tar"))


def test_an_image_that_has_not_changed_is_not_saved_again(tmp_path: Path):
    engine, search = image(), Search(tmp_path)
    first = examine(ready(tmp_path / "w", engine, search, cache=tmp_path / "cache"))
    assert engine.saves == 1
    searched = len(search.jobs)
    again = ready(
        tmp_path / "w", engine, search, cache=tmp_path / "cache", tempdir=write(tmp_path / "t", {"x": ""})
    )
    assert examine(again) == first
    assert (engine.saves, len(search.jobs)) == (1, searched)
    kept = (tmp_path / "cache" / "results" / "image.kept").read_text()
    assert VALUE not in kept
    assert "/app/a.py" in kept


def test_only_new_layers_are_searched_again(tmp_path: Path):
    search = Search(tmp_path)
    examine(ready(tmp_path / "w", image(), search, cache=tmp_path / "cache"))
    changed = image(layers=[layer(one) for one in (BASE, COPIED, {"app/new.py": LINE})])
    other = ready(
        tmp_path / "w", changed, search, cache=tmp_path / "cache", tempdir=write(tmp_path / "t", {"x": ""})
    )
    before = len(search.jobs)
    built = examine(other)
    assert [name.rpartition("/")[2] for job in search.files[before:] for name in job] == ["new.py"]
    assert len(found(built)) == 2


def test_an_accepted_secret_of_the_project(tmp_path: Path):
    workspace = write(tmp_path / "w", {"a.py": LINE})
    accepted(workspace)
    assert found(examine(ready(workspace, image(), Search(tmp_path)))) == [("secret-in-layer", 3)]


def test_variables_and_history(tmp_path: Path):
    text = "FROM python\nARG API_TOKEN\nENV DB_PASSWORD=hunter2\nRUN make\n"
    history = [
        ("ENV ROOT_PASSWORD=of-the-base", 0, False),
        ("ARG API_TOKEN", 0, False),
        ("ENV DB_PASSWORD=hunter2", 0, False),
        (f"RUN |1 API_TOKEN=abcd1234 /bin/sh -c make {VALUE} # buildkit", 3, True),
    ]
    env = ["ROOT_PASSWORD=of-the-base", "DB_PASSWORD=hunter2"]
    engine = image(layers=[layer({"x": "y"})], history=history, env=env, user="")
    ctx = ready(tmp_path / "w", engine, Search(tmp_path))
    checked = examine(ctx, text)
    assert found(checked) == [
        ("runs-as-root", 1),
        ("latest-base", 1),
        ("secret-in-env", 3),
        ("secret-in-history", 2),
        ("secret-in-history", 4),
    ]
    for value in ("hunter2", "abcd1234", VALUE):
        assert value not in ctx.redact(f"x = '{value}'")
        assert all(value not in one.message for one in checked.outcome.findings)


def test_the_token_of_the_job_in_a_layer(tmp_path: Path):
    token = "of-the-job-" + "123456"
    config = f"[http]\n\textraheader = AUTHORIZATION: basic {credentials(token)}\n"
    engine = image(layers=[layer(one) for one in (BASE, {"app/.git/config": config}, {"x": f"a\n{token}"})])
    ctx = ready(tmp_path / "w", engine, Search(tmp_path), redact=Redactor([token]))
    checked = examine(ctx)
    assert found(checked) == [("secret-in-layer", 2), ("secret-in-layer", 3)]
    assert all("secret-of-the-job on line 2" in one.message for one in checked.outcome.findings)
    assert "add '.git' to" in checked.outcome.findings[0].message


def test_an_interruption_is_no_result(tmp_path: Path):
    ctx = ready(tmp_path / "w", image(), Search(tmp_path), stopped=lambda: True)
    with pytest.raises(InterruptedRunError):
        examine(ctx)


def test_the_size_and_the_base_branch(tmp_path: Path):
    report = {"stages": [{"tools": [{"metrics": {"image_size": 400_000}}]}]}
    workspace = write(tmp_path / "w", {"base.json": json.dumps(report)})
    settings = {"max-image-size": "900kB", "base-report": "base.json"}
    checked = examine(ready(workspace, image(), Search(tmp_path), settings=settings))
    assert found(checked)[0] == ("too-large", 1)
    assert checked.outcome.image is not None
    assert (checked.outcome.image.limit, checked.outcome.image.base_size) == (900_000, 400_000)
    assert isinstance(checked.outcome, Report)
    assert any("600 kB more" in one for one in checked.outcome.details)


def test_an_absent_report_of_the_base_branch_is_a_warning(tmp_path: Path):
    ctx = ready(tmp_path / "w", image(), Search(tmp_path), settings={"base-report": "absent.json"})
    assert len(examine(ctx).warnings) == 1


@pytest.mark.parametrize(
    "overrides",
    [
        {"failure": completed(stderr="write: no space left", returncode=1)},
        {"failure": completed(stderr="Error response from daemon: reference does not exist", returncode=1)},
        {"failure": completed()},
        {"size": 10**15},
    ],
    ids=["no-space", "removed-meanwhile", "nothing-written", "too-little-space"],
)
def test_an_image_that_cannot_be_saved_is_broken(overrides: dict[str, Any], tmp_path: Path):
    checked = examine(ready(tmp_path / "w", image(user="", **overrides), Search(tmp_path)))
    assert isinstance(checked.outcome, Broken)
    assert found(checked) == [("runs-as-root", 4)]
    assert checked.outcome.image is not None
    assert not list((tmp_path / "w-tempdir").rglob("image.tar"))


def test_an_image_that_was_removed(tmp_path: Path):
    with pytest.raises(ToolError, match="ci-action/x:ci"):
        examine(ready(tmp_path / "w", image(absent=True), Search(tmp_path)))


@pytest.mark.parametrize(("fail_on", "level"), [("never", "warning"), ("high", "error")])
def test_a_layer_that_cannot_be_read(fail_on: str, level: str, tmp_path: Path):
    engine = image(layers=[layer(BASE), b"\x28\xb5\x2f\xfd" + bytes(600), layer(MADE)])
    ctx = ready(
        tmp_path / "w", engine, Search(tmp_path), settings={"fail-on": fail_on}, cache=tmp_path / "cache"
    )
    checked = examine(ctx)
    assert found(checked) == [("secret-in-layer", 3), ("not-audited", 1)]
    last = checked.outcome.findings[-1]
    assert (last.level, "Zstandard" in last.message, "COPY . ." in last.message) == (level, True, True)
    assert (checked.outcome.examined[Counted.LAYERS], checked.outcome.examined[Counted.UNREADABLE]) == (2, 1)
    (ctx.tempdir / "image-texts").rename(ctx.tempdir / "before")
    examine(ctx)
    assert engine.saves == 2


def test_a_history_that_contradicts_the_layers_hides_nothing(tmp_path: Path):
    engine = image(history=[*HISTORY, ("RUN more", 1, True)])
    checked = examine(ready(tmp_path / "w", engine, Search(tmp_path)))
    assert found(checked) == [("secret-in-layer", 1)] * 3


def test_a_history_that_differs_from_the_dockerfile_is_a_warning(tmp_path: Path):
    checked = examine(ready(tmp_path / "w", image(), Search(tmp_path)), TEXT.replace("USER", "LABEL"))
    assert len(checked.warnings) == 1
    assert found(checked) == [("secret-in-layer", 1)] * 2


def test_a_search_that_fails_is_broken(tmp_path: Path):
    class Failing(Search):
        def __call__(self, command: Command) -> Completed:
            done = super().__call__(command)
            return completed(returncode=9) if "texts" in command.cwd.parts[-1:] else done

    checked = examine(ready(tmp_path / "w", image(user=""), Failing(tmp_path)))
    assert isinstance(checked.outcome, Broken)
    assert found(checked) == [("runs-as-root", 4)]


def test_without_a_build_it_is_broken(tmp_path: Path):
    ctx = ready(write(tmp_path / "w", {"Dockerfile": TEXT}), image(), Search(tmp_path))
    with pytest.raises(ToolError):
        TOOL.check(ctx, Program(argv=(), version=""))


def test_without_a_dockerfile_there_is_nothing_to_examine(tmp_path: Path):
    checked = TOOL.check(ready(tmp_path / "w", image(), Search(tmp_path)), Program(argv=(), version=""))
    assert isinstance(checked.outcome, Skipped)
    assert checked.outcome.empty


def test_hostile_names_are_written_nowhere_else(tmp_path: Path):
    names = ["../../escape.py", "/etc/cron.d/x", "a" * 300, "caf\udce9.py", "x\ny.py", "-rf", "..."]
    files = dict.fromkeys(names, LINE)
    engine = image(layers=[layer(BASE), layer(files), layer(MADE)])
    before = {str(one) for one in tmp_path.rglob("*")}
    checked = examine(ready(tmp_path / "w", engine, Search(tmp_path)))
    assert len(found(checked)) == len(names) + 1
    for one in checked.outcome.findings:
        one.message.encode()
        assert "\n" not in one.message
    written = [one.relative_to(tmp_path) for one in tmp_path.rglob("*") if str(one) not in before]
    assert {one.parts[0] for one in written} <= {"w", "w-tempdir", "w-tools", "tools"}
