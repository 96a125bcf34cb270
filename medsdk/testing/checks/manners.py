"""What the plugin must not do behind the user's back."""

from __future__ import annotations

from medsdk.testing.subject import ContractError, Subject

_SHOWN = 5


def network(subject: Subject) -> None:
    """Importing, loading and predicting ask no network and start no program."""
    report = subject.report
    if report.network:
        raise ContractError(
            f"The plugin uses the network: {'; '.join(report.network[:_SHOWN])}. Pictures are patients' data and stay here; "
            "put what it fetches into the bundle."
        )
    if report.programs:
        raise ContractError(f"The plugin starts other programs: {'; '.join(report.programs[:_SHOWN])}.")
    if report.error:
        raise ContractError(f"Without a network the plugin fails: {report.error}")


def writes(subject: Subject) -> None:
    """Importing, loading and predicting write no file anywhere: no cache, no log, no copy of a picture."""
    report = subject.report
    if report.writes:
        raise ContractError(f"The plugin writes files that nobody asked for: {'; '.join(report.writes[:_SHOWN])}.")
    if report.error:
        raise ContractError(f"Where it finds none of the user's files the plugin fails: {report.error}")
