"""What a page rests on, and how it is made again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from carrierflow.audit.pages.markup import Markup, join, tag
from carrierflow.audit.pages.page import moment, said, section
from carrierflow.audit.reports.basis import ReportBasis
from carrierflow.audit.reports.language import ENGLISH, Tongue
from carrierflow.audit.reports.wording import number


__all__ = ["basis_section"]

COMMAND = ("carrierflow", "audit", "report", "--out", "report.html")


def basis_section(basis: ReportBasis, options: Sequence[str], tongue: Tongue) -> Markup:
    """Name the checkpoint, the root, the export, and the command that makes such a page."""
    language = () if tongue == ENGLISH else ("--lang", tongue.language)
    export = ("--export", "FOLDER") if basis.export else ()
    command = tag("code", shlex.join((*COMMAND, *options, *language, *export)))
    facts = (*_facts(basis, tongue), (tongue.say("Made with"), command))
    listed = tag("dl", *(join(tag("dt", a), tag("dd", b)) for a, b in facts), class_="basis")
    return section(
        tongue.say("What this page rests on"),
        tongue.say(
            "Whoever keeps the checkpoint can verify the history behind these figures, and make "
            "the page again."
        ),
        listed,
    )


def _facts(basis: ReportBasis, tongue: Tongue) -> Iterator[tuple[str, object]]:
    seen = basis.checkpoint
    if seen is None:
        told = tongue.say("none: nothing is sealed, and this page rests on the database alone")
        yield tongue.say("Checkpoint"), told
    else:
        yield (
            tongue.say("Checkpoint"),
            said(
                tongue,
                "{origin}, {size} entries, sealed {sealed}",
                origin=seen.origin,
                size=number(seen.size),
                sealed=moment(basis.sealed_at),
            ),
        )
        yield tongue.say("Root"), tag("code", seen.root.hex())
    yield tongue.say("Not sealed yet"), tongue.say("{count} entries", count=number(basis.unsealed))
    if basis.export is not None:
        export = basis.export
        text = (
            "{digest}, all of {size} entries"
            if export.whole
            else "{digest}, a part: {rows} of {size} entries"
        )
        digest = tag("code", export.digest)
        rows, size = number(export.rows), number(export.size)
        told = said(tongue, text, digest=digest, size=size, rows=rows)
        yield tongue.say("Export (SHA-256 of SHA256SUMS)"), told
