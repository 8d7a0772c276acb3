"""The tool `image`: how large the image is, and what is in it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, NamedTuple, NoReturn

from ci_action.engine.advisories.lookup import Answers
from ci_action.engine.context import Context
from ci_action.engine.docker.client import Docker
from ci_action.engine.tool import Checked, Tool, Turn
from ci_action.model.docker import Image
from ci_action.model.finding import Finding
from ci_action.model.result import Broken, Counted, Examined, Report, Skipped
from ci_action.project.dependencies.inventory import Inventory
from ci_action.project.dependencies.pyproject import own_names
from ci_action.project.programs import Program
from ci_action.stages.docker import discovery
from ci_action.stages.docker.image import secrets
from ci_action.stages.docker.image.base_report import METRIC, base_size
from ci_action.stages.docker.image.contents import Installed
from ci_action.stages.docker.image.facts import Facts, Step, facts_of
from ci_action.stages.docker.image.judging import TOOL as NAME
from ci_action.stages.docker.image.judging import Judge
from ci_action.stages.docker.image.look import Contents, look_into
from ci_action.stages.docker.image.packages import Audited, asked, audited, inventory_of
from ci_action.stages.docker.model import Built
from ci_action.system.cache import Results
from ci_action.system.errors import ToolError
from ci_action.system.text import counted, data_size


def check(ctx: Context, _program: Program) -> Checked:
    """Examine the image that the tool `build` has built."""
    if reason := discovery.why_not(ctx):
        return Checked(outcome=Skipped(reason, empty=True))
    return examined(ctx, ctx.built.of(_not_built))


def _not_built() -> NoReturn:
    raise ToolError("no image was built")


def examined(ctx: Context, one: Built) -> Checked:
    """Examine an image; raises `ToolError` if Docker does not know it."""
    facts = _facts(ctx, one)
    results = ctx.results(NAME)
    base, warning = base_size(ctx.layout, ctx.settings.base_report)
    judge = Judge(
        dockerfile=one.dockerfile,
        target=ctx.settings.target,
        whole=one.place,
        facts=facts,
        arguments=dict(ctx.settings.build_args),
    )
    image = Image(
        name=one.name,
        id=one.id,
        size=facts.size,
        limit=ctx.settings.max_image_size,
        base_size=base,
        engine=one.engine,
        layers=facts.shown,
    )
    metrics = {METRIC: float(facts.size)}
    findings = [
        *judge.size(ctx.settings.max_image_size),
        *judge.user(),
        *judge.latest(),
    ]
    # The engine saves the image meanwhile, and the service answers while the layers are searched.
    with ThreadPoolExecutor(max_workers=2) as pool:
        texts = pool.submit(_of_texts, ctx, judge, results)
        asking: list[Future[_Asked]] = []

        def ask(packages: Sequence[Installed], steps: Sequence[Step | None]) -> None:
            asking.append(pool.submit(_ask, ctx, judge, packages, steps))

        try:
            try:
                contents = look_into(ctx, one.id, facts, results, ask)
            finally:
                findings += texts.result()
        except ToolError as error:
            broken = Broken(
                error.reason, error.detail, findings=tuple(findings), metrics=metrics, image=image
            )
            return Checked(outcome=broken, warnings=tuple(filter(None, (warning,))))
    findings += judge.in_layers(contents)
    inventory, own, answers = asking[0].result()
    audit = audited(ctx, inventory, answers, contents.problems, judge.whole)
    findings += audit.findings
    warnings = (warning, _mismatch(facts), *_unsearched(contents), *audit.warnings, results.save())
    counts = _counts(contents, audit)
    given: dict[str, Any] = {
        "findings": tuple(findings),
        "examined": counts,
        "metrics": metrics,
        "image": image,
    }
    outcome: Report | Broken
    if contents.search:
        outcome = Broken(f"not all files of the image were searched for secrets: {contents.search}", **given)
    else:
        outcome = Report(**given, details=tuple(_details(image, facts, contents, audit, own)))
    return Checked(outcome=outcome, warnings=tuple(filter(None, warnings)), log=audit.detail)


def _facts(ctx: Context, built: Built) -> Facts:
    docker = Docker(ctx)
    inspected = docker.inspect("image", built.id)
    if inspected is None:
        raise ToolError(
            f"the image {built.name} ({built.id[:19]}) is not in the engine any more: it was removed after its build"
        )
    words = ("history", "--no-trunc", "--human=false", "--format={{json .}}", built.id)
    return facts_of(inspected, docker.objects(*words), built.dockerfile, ctx.settings.target)


def _of_texts(ctx: Context, judge: Judge, results: Results) -> list[Finding]:
    """Return the secrets in the variables and in the history of the image; their values are redacted from now on."""
    folder = ctx.tempdir / "image-texts"
    assigned = judge.variables()
    # A quotation mark would end the value.
    lines = [f'{one.name} = "{" ".join(one.value.replace(chr(34), "").split())}"' for one in assigned]
    # Variables are searched by their values.
    bodies = ("" if step.sets_variables else step.body for step in judge.facts.own)
    commands = [*secrets.lines_of(bodies)]
    texts = {"variables.txt": lines, "commands.txt": [text for _, text in commands]}
    for name, content in texts.items():
        secrets.write(folder, name, "\n".join([*content, ""]).encode("utf-8", "replace"))
    baseline = secrets.accepted(ctx)
    found = secrets.search(ctx, folder, {name: f"/{name}" for name in texts}, baseline, results)
    if found.problem:
        raise ToolError(f"the history of the image was not searched for secrets: {found.problem}")
    kinds: dict[int, list[str]] = {}
    for hit in found.hits.get("variables.txt", ()):
        kinds.setdefault(hit.line - 1, []).append(hit.rule)
    pairs = [*judge.in_variables(assigned, kinds)]
    ctx.redact.add(one.value for one, _ in pairs)
    hits = [(commands[hit.line - 1][0], hit) for hit in found.hits.get("commands.txt", ())]
    return [*(finding for _, finding in pairs), *judge.in_commands(hits)]


class _Asked(NamedTuple):
    """The packages to audit, the number of the project's own ones, which are not, and the answers."""

    inventory: Inventory
    own: int
    answers: Answers


def _ask(ctx: Context, judge: Judge, packages: Sequence[Installed], steps: Sequence[Step | None]) -> _Asked:
    own = own_names(ctx.layout.pyproject)
    inventory, number = inventory_of(packages, own, lambda layer: judge.place(steps[layer]))
    return _Asked(inventory, number, asked(ctx, inventory))


def _mismatch(facts: Facts) -> str:
    if facts.matched:
        return ""
    return "the history of the image differs from the Dockerfile: findings about the image are on the line of its last stage"


def _unsearched(contents: Contents) -> Iterator[str]:
    searched = contents.searched.values()
    if beyond := sum(one.beyond for one in searched):
        yield f"{counted(beyond, 'file')} of the image exceed the limits of the search for secrets"
    if failed := sum(one.failed for one in searched):
        yield f"{counted(failed, 'file')} of the image could not be searched for secrets"


def _counts(contents: Contents, audit: Audited) -> Examined:
    searched = contents.searched.values()
    unread = contents.unread + sum(one.failed for one in searched)
    numbers = {
        Counted.LAYERS: len(contents.steps) - contents.unread,
        Counted.PACKAGES: audit.packages,
        Counted.FILES: sum(one.files for one in searched),
        Counted.SKIPPED: audit.skipped,
        Counted.EXCLUDED: sum(one.of_packages for one in searched),
        Counted.BINARY: sum(one.binary for one in searched),
        Counted.LEFT_OUT: sum(one.large + one.beyond for one in searched),
        Counted.UNREADABLE: unread,
    }
    always = {Counted.LAYERS, Counted.PACKAGES}
    return {what: number for what, number in numbers.items() if number or what in always}


def _details(
    image: Image, facts: Facts, contents: Contents, audit: Audited, own_packages: int
) -> Iterator[str]:
    own = sum(step.size for step in facts.own)
    size = image.size or 0
    yield f"{data_size(size)}, {data_size(own)} of it by {counted(len(facts.own), 'instruction')} of the Dockerfile"
    if image.base_size is not None:
        change = size - image.base_size
        word = "more" if change >= 0 else "less"
        yield f"{data_size(abs(change))} {word} than the base branch ({data_size(image.base_size)})"
    searched = contents.searched.values()
    yield (
        f"searched {counted(sum(one.files for one in searched), 'text file')} of {counted(len(searched), 'layer')} for secrets;"
        f" not searched: {sum(one.of_packages for one in searched):,} of packages and of the system,"
        f" {sum(one.binary for one in searched):,} binary, {sum(one.large for one in searched):,} larger than 1 MB"
    )
    more = f"; not audited: {counted(own_packages, 'package')} of the project itself" if own_packages else ""
    yield f"audited {counted(audit.packages, 'Python package')} in the image{more}"


TOOL: Final = Tool(
    name=NAME,
    summary="Size, user, secrets and vulnerable Python packages of the image.",
    url="https://docs.docker.com/build/building/best-practices/",
    check=check,
    program=lambda _: Program(argv=(), version="", source=""),
    after=("build",),
    turn=lambda _: Turn.RUNS,
    plan=lambda _: "size, layers, user, secrets and Python packages of the image",
)
