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

# Values of the field `License` by what they mean, in lower case and without "the", "license", "version", commas and brackets.
_SPELLINGS: Final[dict[tuple[str, ...], str]] = {
    ("AGPL-3.0-only",): "agplv3",
    ("AGPL-3.0-or-later",): "agplv3+",
    (
        "Apache-2.0",
    ): "apache, apache 2, apache 2.0, apache software, apache software 2.0, apache-2, apache2, apache2.0, asl 2.0",
    ("BSD-2-Clause",): "2-clause bsd, bsd 2-clause, bsd-2, simplified bsd",
    _BSD: "bsd",
    ("BSD-3-Clause",): "3-clause bsd, bsd 3 clause, bsd 3-clause, bsd-3, modified bsd, new bsd, revised bsd",
    ("BSL-1.0",): "boost software 1.0",
    ("EPL-2.0",): "eclipse public 2.0",
    ("GPL-2.0-only",): "gplv2",
    _GPL: "gpl",
    ("GPL-2.0-or-later",): "gplv2+",
    ("GPL-3.0-only",): "gnu gpl v3, gnu gplv3, gplv3",
    ("GPL-3.0-or-later",): "gplv3+",
    ("ISC",): "isc",
    _LGPL: "lgpl",
    ("LGPL-2.1-only",): "lgplv2.1",
    ("LGPL-2.1-or-later",): "lgplv2.1+",
    ("LGPL-3.0-only",): "lgplv3",
    ("LGPL-3.0-or-later",): "lgplv3+",
    ("MIT",): "expat, mit, mit mit",
    ("MPL-2.0",): "mozilla public 2.0, mozilla public 2.0 mpl 2.0, mpl 2.0, mpl2",
    ("PSF-2.0",): "psf, psfl, python software foundation",
    ("Unlicense",): "unlicense",
    ("WTFPL",): "wtfpl",
    ("ZPL-2.1",): "zpl 2.1",
    ("Zlib",): "zlib, zlib/libpng",
}
NAMES: Final = {name: ids for ids, names in _SPELLINGS.items() for name in names.split(", ")}

# Suggestions for an invalid identifier.
KNOWN: Final = tuple(
    sorted({name for table in (CLASSIFIERS, NAMES) for names in table.values() for name in names})
)
