"""The steps of the revisions, in phases."""

import argparse
import contextlib
import os
import subprocess

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationStep
from alembic.script import ScriptDirectory

from . import dumps, emptying, models, rewriting, snapshots
from .channel import Clock, Watchdog, cut
from .failures import described, is_fatal
from .recording import Recorder
from .redirect import Redirect

UPGRADE = "upgrade"
DOWNGRADE = "downgrade"
AGAIN = "upgrade again"
DRIFT = "drift"
REBUILD = "rebuild"
_MOST = 40
_LONGEST = 4000


class PhaseEndedError(Exception):
    """A phase ended before its time, for a reason that was reported."""


class _Attributes(dict):
    """The attributes of a configuration: notes whether env.py looks for a connection in it."""

    asked = False

    def get(self, key, default=None):
        self.asked = self.asked or key == "connection"
        return super().get(key, default)

    def __getitem__(self, key):
        self.asked = self.asked or key == "connection"
        return super().__getitem__(key)

    def __contains__(self, key):
        self.asked = self.asked or key == "connection"
        return super().__contains__(key)

    def pop(self, key, *default):
        self.asked = self.asked or key == "connection"
        return super().pop(key, *default)


class Walk:
    """One history of revisions, on one scratch database."""

    def __init__(self, given, channel):
        self.given = given
        self.send = channel.send
        self.phase = UPGRADE
        self.recorder = Recorder(channel.send)
        self.redirect = Redirect(given["url"], self._connects)
        self.watchdog = Watchdog(given["timeout"], self._expired)
        self.dialects = set()
        self.engine = None
        """What makes the connection that env.py needs in the attributes; None if it needs none."""
        self.entered = False
        """Whether env.py called Alembic in its last start."""
        self.raised = None
        """The exception of a revision in the last start of env.py."""
        self.caught = False
        """Whether env.py caught it."""
        self.plan = ()
        """All revisions in the order of their upgrade."""
        self.heads = set()
        """The revisions that the version table should have."""
        self.position = None
        """The number of revisions that are applied; None if the schema is not known."""
        self.states = {}
        """The schemas by the number of revisions that are applied."""
        self.effects = {}
        """The number of statements of each revision that changed something."""
        self.changes = {}
        """Whether each revision changed the schema."""
        self.doing = None
        """The revision that runs or ran last: its name, the direction and its time."""

    # The phases

    def run(self):
        """Do all phases; each ends with an event, or the run with it."""
        with contextlib.ExitStack() as stack:
            for phase, work in ((UPGRADE, self.upgrade), (DOWNGRADE, self.downgrade), (DRIFT, self.drift)):
                self.phase = phase
                self.watchdog.start(phase)
                clock = Clock()
                self.send("phase", phase=phase)
                try:
                    if phase == UPGRADE:
                        stack.enter_context(self._prepared())
                    checked = work()
                except PhaseEndedError:
                    self.send("done", phase=phase, seconds=clock.seconds(), revisions=0, finished=False)
                    break
                except (Exception, SystemExit) as error:
                    self._failed(error, judged=True)
                    self.send("done", phase=phase, seconds=clock.seconds(), revisions=0, finished=False)
                    break
                self.send("done", phase=phase, seconds=clock.seconds(), revisions=checked, finished=True)
            self.watchdog.stop()

    @contextlib.contextmanager
    def _prepared(self):
        """Read the configuration and plan; within the application of Flask, if there is one."""
        self.redirect.install()
        self.recorder.install()
        with contextlib.ExitStack() as stack:
            self.config = stack.enter_context(self._configured())
            self.attributes = _Attributes(self.config.attributes)
            self.config.__dict__["attributes"] = self.attributes
            self.script = ScriptDirectory.from_config(self.config)
            yield

    @contextlib.contextmanager
    def _configured(self):
        """Provide the configuration; that of Flask-Migrate comes from the application."""
        given = self.given
        x = list(given["x"]) or None
        with contextlib.ExitStack() as stack:
            app = stack.enter_context(_flask_app(given["flask"])) if given["flask"] else None
            if app is not None and "migrate" in app.extensions:
                yield app.extensions["migrate"].migrate.get_config(given["directory"] or None, x_arg=x or [])
                return
            options = argparse.Namespace(
                config=given["ini"] or None,
                name=given["section"],
                x=x,
                raiseerr=True,
                revision="heads",
                sql=False,
                tag=None,
            )
            toml = {"toml_file": given["toml"]} if given["toml"] else {}
            yield Config(given["ini"] or None, ini_section=given["section"], cmd_opts=options, **toml)

    def _planned(self):
        """Return all revisions in the order of their upgrade, those to check and what follows them at the end."""
        steps = self.script._upgrade_revs("heads", ())
        scripts = [step.revision for step in steps]
        self.checked = set(self.given["checked"])
        late = set()
        for script in scripts:
            if script.revision in self.checked or late & set(script._normalized_down_revisions):
                late.add(script.revision)
        self.checked &= late
        plan = [one for one in scripts if one.revision not in late]
        self.first = len(plan)
        """The number of revisions that are never downgraded."""
        plan += [one for one in scripts if one.revision in late]
        self.recorder.files = {os.path.realpath(one.path): one.revision for one in plan}
        self.recorder.wanted = frozenset(self.given["recorded"])
        self.send(
            "plan",
            revisions=[[one.revision, os.path.realpath(one.path)] for one in plan],
            checked=[one.revision for one in plan if one.revision in self.checked],
        )
        return plan

    def upgrade(self):
        """Upgrade from nothing to the heads in one go, as `alembic upgrade heads` does; return the number of revisions."""

        def note(index, context):
            self.effects[index] = self.recorder.effects
            if index + 1 >= self.first and self.checked:
                self._keep(index + 1, context)

        def start(context):
            # env.py may choose the folders of the revisions.
            self.plan = self._planned()
            self.extensions = emptying.extensions(context.connection)
            if self.first == 0 and self.checked:
                self._keep(0, context)
            self.recorder.measures = self._measures(context)

        self._walk(lambda: range(len(self.plan)), UPGRADE, after=note, before=start)
        self._verify()
        self.position = len(self.plan)
        self.dump = self._dumped() if self.checked else None
        return len(self.plan)

    def downgrade(self):
        """Downgrade the revisions one at a time, and upgrade them again; return the number of those that were checked."""
        if not self.checked:
            return 0
        failed = set()
        for index in reversed(range(self.first, len(self.plan))):
            self._reach(index + 1)
            if self._down(index):
                self.position = index
            else:
                failed.add(index)
                self.position = None
        self._reach(self.first)
        for index in range(self.first, len(self.plan)):
            self._reach(index)
            if self._again(index):
                self.position = index + 1
            else:
                failed.add(index)
                self.position = None
        dumped = not failed and self.dump is not None and self._compare_dumps()
        self.send("compared", by=self.states[self.first].compared, dumped=dumped)
        return len(self.checked)

    def drift(self):
        """Compare the models with the database; return the number of tables that the models have."""
        self._reach(len(self.plan))
        return models.compare(self)

    # One revision

    def _down(self, index):
        """Downgrade a revision; return whether the schema is now the one from before it."""
        script = self.plan[index]
        judged = script.revision in self.checked
        before, after = self.states[index], self.states[index + 1]
        found = {}

        def note(_index, context):
            _, (traces, undone) = snapshots.take(context, before, after)
            found.update(traces=traces, idle=not self.recorder.effects and not undone)

        if not self._tried(index, DOWNGRADE, note, judged):
            return False
        if found["idle"] and (self.effects[index] or self.changes[index]):
            if judged:
                self.send("idle", revision=script.revision, statements=self.effects[index])
            return False
        if found["traces"] and judged:
            self._differs(script, DOWNGRADE, found["traces"], before)
        return not found["traces"]

    def _again(self, index):
        """Upgrade a revision on its own; return whether the schema is the one from the first time."""
        script = self.plan[index]
        judged = script.revision in self.checked
        after = self.states[index + 1]
        found = {}

        def note(_index, context):
            found["traces"] = snapshots.take(context, after)[1][0]

        if not self._tried(index, AGAIN, note, judged):
            return False
        if found["traces"] and judged:
            self._differs(script, AGAIN, found["traces"], after)
        return not found["traces"]

    def _tried(self, index, direction, note, judged):
        """Run a revision; return whether that worked."""
        try:
            self._walk(lambda: [index], direction, after=note)
        except PhaseEndedError:
            raise
        except (Exception, SystemExit) as error:
            self._failed(error, judged)
            if is_fatal(error):
                raise PhaseEndedError from error
            return False
        return True

    def _differs(self, script, direction, traces, state):
        self.send(
            "differs",
            revision=script.revision,
            direction=direction,
            differences=traces[:_MOST],
            number=len(traces),
            by=state.compared,
        )

    # Running

    def _walk(self, indices, direction, after=None, before=None):
        """Run revisions in one start of env.py, which may do that for several schemas."""
        make = (
            MigrationStep.downgrade_from_script
            if direction == DOWNGRADE
            else MigrationStep.upgrade_from_script
        )
        recorder = self.recorder
        self.doing = None
        done = []

        def steps(heads, context):
            self.entered = True
            if done and set(heads) == done[-1]:
                return  # another address, which leads to the same database
            if set(heads) != self.heads:
                self._uncommitted(heads)
            if before:
                recorder.quietly(before, context)
            for index in indices():
                script = self.plan[index]
                self.doing = script.revision, direction, Clock()
                recorder.begin(script.revision, direction)
                yield make(self.script.revision_map, script)
                seconds = self.doing[2].seconds()
                if after:
                    recorder.quietly(after, index, context)
                recorder.end()
                self._stepped(seconds, failed=False)
            done.append(set(recorder.quietly(context.get_current_heads)))

        try:
            self.environment(steps)
        except BaseException:
            if recorder.revision:
                self._stepped(self.doing[2].seconds(), failed=True)
            raise
        finally:
            recorder.end()
        if not done:
            self.send("unstarted", phase=self.phase)
            raise PhaseEndedError
        self.heads = done[-1]
        self.doing = None

    def _stepped(self, seconds, failed):
        revision, direction, _ = self.doing
        if direction != REBUILD:
            self.send("step", revision=revision, direction=direction, seconds=seconds, failed=failed)

    def environment(self, work, **options):
        """Start env.py with what Alembic should do in it."""
        self.attributes.asked = self.entered = False
        try:
            self._start(work, options)
        except PhaseEndedError:
            raise
        except Exception:
            if self.entered or self.engine is not None or not self.attributes.asked:
                raise
            try:
                self.engine = self.redirect.sync_engine()
            except ImportError:
                self.engine = None
            if self.engine is None:
                raise
            self._start(work, options)

    def _start(self, work, options):
        self.raised, self.caught = None, False
        with contextlib.ExitStack() as stack:
            connection = None
            if self.engine is not None:
                connection = stack.enter_context(self.engine.connect())
                self.attributes["connection"] = connection
                stack.callback(self.attributes.pop, "connection", None)
            context = EnvironmentContext(
                self.config, self.script, fn=work, as_sql=False, destination_rev="heads", tag=None, **options
            )
            context.run_migrations = self._noted(context.run_migrations)
            try:
                with context:
                    self.script.run_env()
            except BaseException:
                if self.raised is None:
                    raise
            else:
                self.caught = self.raised is not None
            if self.raised is not None:
                raise self.raised
            if connection is not None and connection.in_transaction():
                connection.get_transaction().commit()

    def _noted(self, run_migrations):
        """Return a function of Alembic that notes its exception, which env.py may catch."""

        def noted(**options):
            self.raised = None
            try:
                run_migrations(**options)
            except BaseException as error:
                self.raised = error
                raise

        return noted

    def _verify(self):
        """Make sure that what the revisions did is committed."""
        found = []
        self.environment(lambda heads, _context: found.append(set(heads)) or [], dont_mutate=True)
        if not found or any(heads != self.heads for heads in found):
            self._uncommitted(found[0] if found else ())

    def _uncommitted(self, heads):
        self.send("uncommitted", phase=self.phase, expected=sorted(self.heads), found=sorted(heads))
        raise PhaseEndedError

    def _measures(self, context):
        if context.connection.dialect.name != "postgresql" or not self.recorder.wanted:
            return False
        installed = bool(rewriting.install(context.connection))
        if installed:
            self.send("measures")
        return installed

    def _keep(self, number, context):
        """Keep the schema, and whether the last revision changed it."""
        before = [self.states[number - 1]] if number - 1 in self.states else []
        self.states[number], found = snapshots.take(context, *before)
        self.changes[number - 1] = any(found)

    def _reach(self, number):
        """Make the schema with so many revisions from nothing, if it is not that of the database."""
        if self.position == number:
            return
        try:
            self.environment(self._emptied, dont_mutate=True)
            self.heads = set()
            found = []

            def note(index, context):
                if index == number - 1:
                    found.extend(snapshots.take(context, self.states[number])[1][0])

            if number:
                self._walk(lambda: range(number), REBUILD, after=note)
        except (Exception, SystemExit) as error:
            self.send("unstable", error=described(error), differences=[])
            raise PhaseEndedError from error
        if found:
            self.send("unstable", error=None, differences=found[:_MOST])
            raise PhaseEndedError
        self.position = number

    def _emptied(self, _heads, context):
        """Drop everything; return no revisions to run."""
        connection = context.connection
        self.recorder.quietly(emptying.empty, connection, self.extensions)
        # With a transaction for each revision Alembic commits nothing without one, and env.py only what it began itself.
        mine = not context._in_external_transaction and context._transaction is None
        if mine and connection.in_transaction():
            connection.get_transaction().commit()
        return []

    # Reports

    def _connects(self, dialect):
        if dialect not in self.dialects:
            self.dialects.add(dialect)
            self.send("connects", dialect=dialect)

    def _failed(self, error, judged):
        revision, direction, _ = self.doing or ("", "", None)
        running = self.recorder.running
        file, line = self._place(error) or ("", 0)
        self.send(
            "failure",
            phase=self.phase,
            revision=revision,
            direction=direction,
            judged=judged,
            error=described(error),
            file=file,
            line=line,
            running=cut(running[0], _LONGEST) if running else "",
            caught=self.caught,
        )

    def _place(self, error):
        """Return the innermost line of a revision in a traceback."""
        found = None
        trace = error.__traceback__
        while trace is not None:
            name = os.path.realpath(trace.tb_frame.f_code.co_filename)
            if name in self.recorder.files:
                found = name, trace.tb_lineno
            trace = trace.tb_next
        return found

    def _expired(self, phase):
        running = self.recorder.running
        self.send(
            "timeout",
            phase=phase,
            revision=self.recorder.revision,
            direction=self.recorder.direction,
            statement=cut(running[0], _LONGEST) if running else "",
            file=running[1][0] if running and running[1] else "",
            line=running[1][1] if running and running[1] else 0,
        )

    def _dumped(self):
        """Return the schema as pg_dump prints it; None if it cannot."""
        if not self.given["pg_dump"]:
            return None
        try:
            return dumps.take(self.given["pg_dump"], self.given["url"])
        except (dumps.DumpError, OSError, subprocess.SubprocessError) as error:
            self.send("undumped", text=cut(str(error), _LONGEST))
            return None

    def _compare_dumps(self):
        """Compare with pg_dump, which also has objects such as publications; return whether that was possible."""
        now = self._dumped()
        found = dumps.differences(self.dump, now) if now is not None else []
        if found:
            one = "".join(self.checked) if len(self.checked) == 1 else ""
            self.send(
                "differs",
                revision=one,
                direction=AGAIN,
                differences=found[:_MOST],
                number=len(found),
                by="pg_dump",
            )
        return now is not None


@contextlib.contextmanager
def _flask_app(name):
    """Provide the application of Flask in its context, found as the `flask` command does."""
    from flask import cli

    with contextlib.suppress(Exception):  # python-dotenv is not required
        cli.load_dotenv()
    app = cli.ScriptInfo(app_import_path=name).load_app()
    with app.app_context():
        yield app
