"""Names of licences in the metadata of packages, and the SPDX identifiers that they mean.

An ambiguous name has several identifiers: each of them must pass.
"""

from typing import Final

_GPL: Final = ("GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later")
_LGPL: Final = (
    "LGPL-2.0-only", "LGPL-2.0-or-later", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later",
)  # fmt: skip
_BSD: Final = ("BSD-2-Clause", "BSD-3-Clause")

# https://pypi.org/classifiers/, without "License :: " and "OSI Approved :: ".
CLASSIFIERS: Final[dict[str, tuple[str, ...]]] = {
    "Academic Free License (AFL)": ("AFL-3.0",),
    "Apache Software License": ("Apache-2.0",),
    "Artistic License": ("Artistic-2.0",),
    "Blue Oak Model License (BlueOak-1.0.0)": ("BlueOak-1.0.0",),
    "Boost Software License 1.0 (BSL-1.0)": ("BSL-1.0",),
    "BSD License": _BSD,
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": ("CC0-1.0",),
    "CMU License (MIT-CMU)": ("MIT-CMU",),
    "Common Development and Distribution License 1.0 (CDDL-1.0)": ("CDDL-1.0",),
    "Eclipse Public License 1.0 (EPL-1.0)": ("EPL-1.0",),
    "Eclipse Public License 2.0 (EPL-2.0)": ("EPL-2.0",),
    "European Union Public Licence 1.1 (EUPL 1.1)": ("EUPL-1.1",),
    "European Union Public Licence 1.2 (EUPL 1.2)": ("EUPL-1.2",),
    "GNU Affero General Public License v3": ("AGPL-3.0-only",),
    "GNU Affero General Public License v3 or later (AGPLv3+)": ("AGPL-3.0-or-later",),
    "GNU General Public License (GPL)": _GPL,
    "GNU General Public License v2 (GPLv2)": ("GPL-2.0-only",),
    "GNU General Public License v2 or later (GPLv2+)": ("GPL-2.0-or-later",),
    "GNU General Public License v3 (GPLv3)": ("GPL-3.0-only",),
    "GNU General Public License v3 or later (GPLv3+)": ("GPL-3.0-or-later",),
    "GNU Lesser General Public License v2 (LGPLv2)": ("LGPL-2.0-only",),
    "GNU Lesser General Public License v2 or later (LGPLv2+)": ("LGPL-2.0-or-later",),
    "GNU Lesser General Public License v3 (LGPLv3)": ("LGPL-3.0-only",),
    "GNU Lesser General Public License v3 or later (LGPLv3+)": ("LGPL-3.0-or-later",),
    "GNU Library or Lesser General Public License (LGPL)": _LGPL,
    "Historical Permission Notice and Disclaimer (HPND)": ("HPND",),
    "ISC License (ISCL)": ("ISC",),
    "MIT License": ("MIT",),
    "MIT No Attribution License (MIT-0)": ("MIT-0",),
    "Mozilla Public License 1.0 (MPL)": ("MPL-1.0",),
    "Mozilla Public License 1.1 (MPL 1.1)": ("MPL-1.1",),
    "Mozilla Public License 2.0 (MPL 2.0)": ("MPL-2.0",),
    "Mulan Permissive Software License v2 (MulanPSL-2.0)": ("MulanPSL-2.0",),
    "Python Software Foundation License": ("PSF-2.0",),
    "The Unlicense (Unlicense)": ("Unlicense",),
    "Universal Permissive License (UPL)": ("UPL-1.0",),
    "University of Illinois/NCSA Open Source License": ("NCSA",),
    "W3C License": ("W3C",),
    "Zero-Clause BSD (0BSD)": ("0BSD",),
    "zlib/libpng License": ("Zlib",),
    "Zope Public License": ("ZPL-2.1",),
}

# Values of the field `License`, in lower case and without "the", "license", "version", commas and brackets.
NAMES: Final[dict[str, tuple[str, ...]]] = {
    "2-clause bsd": ("BSD-2-Clause",),
    "3-clause bsd": ("BSD-3-Clause",),
    "agplv3": ("AGPL-3.0-only",),
    "agplv3+": ("AGPL-3.0-or-later",),
    "apache": ("Apache-2.0",),
    "apache 2": ("Apache-2.0",),
    "apache 2.0": ("Apache-2.0",),
    "apache software": ("Apache-2.0",),
    "apache software 2.0": ("Apache-2.0",),
    "apache-2": ("Apache-2.0",),
    "apache2": ("Apache-2.0",),
    "apache2.0": ("Apache-2.0",),
    "asl 2.0": ("Apache-2.0",),
    "boost software 1.0": ("BSL-1.0",),
    "bsd": _BSD,
    "bsd 2-clause": ("BSD-2-Clause",),
    "bsd 3 clause": ("BSD-3-Clause",),
    "bsd 3-clause": ("BSD-3-Clause",),
    "bsd-2": ("BSD-2-Clause",),
    "bsd-3": ("BSD-3-Clause",),
    "eclipse public 2.0": ("EPL-2.0",),
    "expat": ("MIT",),
    "gnu gpl v3": ("GPL-3.0-only",),
    "gnu gplv3": ("GPL-3.0-only",),
    "gpl": _GPL,
    "gplv2": ("GPL-2.0-only",),
    "gplv2+": ("GPL-2.0-or-later",),
    "gplv3": ("GPL-3.0-only",),
    "gplv3+": ("GPL-3.0-or-later",),
    "isc": ("ISC",),
    "lgpl": _LGPL,
    "lgplv2.1": ("LGPL-2.1-only",),
    "lgplv2.1+": ("LGPL-2.1-or-later",),
    "lgplv3": ("LGPL-3.0-only",),
    "lgplv3+": ("LGPL-3.0-or-later",),
    "mit": ("MIT",),
    "mit mit": ("MIT",),
    "modified bsd": ("BSD-3-Clause",),
    "mozilla public 2.0": ("MPL-2.0",),
    "mozilla public 2.0 mpl 2.0": ("MPL-2.0",),
    "mpl 2.0": ("MPL-2.0",),
    "mpl2": ("MPL-2.0",),
    "new bsd": ("BSD-3-Clause",),
    "psf": ("PSF-2.0",),
    "psfl": ("PSF-2.0",),
    "python software foundation": ("PSF-2.0",),
    "revised bsd": ("BSD-3-Clause",),
    "simplified bsd": ("BSD-2-Clause",),
    "unlicense": ("Unlicense",),
    "wtfpl": ("WTFPL",),
    "zlib": ("Zlib",),
    "zlib/libpng": ("Zlib",),
    "zpl 2.1": ("ZPL-2.1",),
}

# Suggestions for an invalid identifier.
KNOWN: Final = tuple(
    sorted({name for table in (CLASSIFIERS, NAMES) for names in table.values() for name in names})
)
