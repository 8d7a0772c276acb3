"""The script that the project's interpreter starts: loads the modules beside it under a name that no project uses."""

import importlib
import importlib.util
import os
import sys

_NAME = "ciaction_migrations"


def _load():
    folder = os.path.dirname(os.path.abspath(__file__))
    # The modules beside this one are not for the project: `model` or `events` may be names of its own.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != folder]
    spec = importlib.util.spec_from_file_location(
        _NAME, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = package
    spec.loader.exec_module(package)
    return importlib.import_module(_NAME + ".job")


if __name__ == "__main__":
    _load().main()
