"""The command `hookstream evidence`: writes the zip."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from cli import environment
from local.messages import CommandError, say
from runtime.plain_text import counted

if TYPE_CHECKING:
    from evidence.archive import Terms, Written
    from evidence.collection import Sources

OWNER_ONLY = 0o600


def evidence(
    order: Annotated[str | None, typer.Argument(metavar="[ORDER]", help="The order. Or pass --customer.")] = None,
    output: Annotated[Path | None, typer.Option(help="The file to write. Default: evidence-….zip here.")] = None,
    customer: Annotated[
        str | None, typer.Option(help="All orders of a customer, by e-mail address or customer id.")
    ] = None,
    *,
    unredacted: Annotated[
        bool, typer.Option("--unredacted", help="Include personal data and the bodies. It needs --because.")
    ] = False,
    because: Annotated[str | None, typer.Option(help="Who decided to include personal data, and why.")] = None,
) -> None:
    """Write a zip for a third party about an order: webhooks verified again, offsets, scans, mails, a digest chain.

    The zip has a page to print, and says how to check it with standard tools. With --customer it has a folder for each
    order and a page that lists them. Only its owner can read the file; a file that exists is never overwritten.
    """
    from cli.evidence import collection
    from evidence.archive import MAX_REASON_CHARS, Terms

    if unredacted != bool(because and because.strip()):
        raise CommandError("Pass --unredacted and --because together: the reason is written into the manifest.")
    if because and len(because) > MAX_REASON_CHARS:
        raise CommandError(f"--because has more than {MAX_REASON_CHARS} characters. Shorten it.")
    if (order is None) == (customer is None):
        raise CommandError("Pass an order, or --customer with an e-mail address or a customer id.")
    env = environment.read()
    environment.require(env, "KAFKA_BOOTSTRAP_SERVERS")
    terms = Terms(because if unredacted else None, environment.mode(env), partial(collection.secrets_of, env))
    sources = collection.sources(env)
    if customer is None:
        _of_order(sources, order or "", terms, output)
    else:
        _of_customer(sources, customer, terms, output)


def _of_order(sources: "Sources", order: str, terms: "Terms", output: Path | None) -> None:
    from evidence import archive
    from evidence.collection import UnknownOrder

    try:
        found = archive.of_order(sources, order, terms)
    except UnknownOrder as unknown:
        raise CommandError(f"The log has no order {order}.") from unknown
    path = output or Path(f"{found.folder}.zip")
    written = _write(path, lambda file: archive.write_order(file, found))
    _report(path, f"{counted(written.size, 'entry', 'entries')} about order {order}", written)


def _of_customer(sources: "Sources", customer: str, terms: "Terms", output: Path | None) -> None:
    from cli.clients import console
    from evidence import archive, bundle
    from stream.events.text.redaction import masked_text

    found = console.fetch("customers", customer, "orders")
    orders: Sequence[str] = [order["orderId"] for order in found["orders"]]
    if not orders:
        raise CommandError(f"The log has no order of a customer {customer}.")
    name = customer if terms.because else masked_text(customer)
    path = output or Path(f"{bundle.customer_name(name)}.zip")
    make = partial(archive.of_order, sources, terms=terms)
    notes = [] if found["complete"] else ["more orders than the log searches at once: the list is not complete"]
    written = _write(path, lambda file: archive.write_customer(file, name, orders, make, terms, notes))
    _report(
        path,
        f"{counted(len(orders), 'order')}, {counted(written.size, 'entry', 'entries')} about customer {name}",
        written,
    )


def _report(path: Path, what: str, written: "Written") -> None:
    say(f"wrote {path}: {what}")
    say(f"sha256 of MANIFEST.json: {written.digest}")
    say("Tell it to the receiver by another way than the file; README.txt in it says how to check.")
    for note in written.notes:
        say(f"note: {note}")


def _write(path: Path, write: "Callable[[BinaryIO], Written]") -> "Written":
    """Write a new file that only its owner can read; remove it if `write` fails.

    Raises CommandError when the file exists or cannot be written.
    """
    from runtime.confidential.wrong_setting import UnreadableSetting

    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    except FileExistsError as exists:
        raise CommandError(f"{path} exists; remove it, or pass another --output.") from exists
    except OSError as failure:
        raise CommandError(f"{path} cannot be written ({failure.strerror}).") from failure
    try:
        with os.fdopen(descriptor, "wb") as file:
            return write(file)
    except BaseException as failure:
        path.unlink(missing_ok=True)
        if isinstance(failure, OSError) and not isinstance(failure, UnreadableSetting):
            raise CommandError(f"{path} cannot be written ({failure.strerror}).") from failure
        raise
