"""`hookstream schemas`: every record can be read by every version of it, and an id never changes its meaning."""

import typer

from local.telling import Trouble, say

app = typer.Typer(help="Avro schemas and their committed ids.", no_args_is_help=True)


@app.command()
def check() -> None:
    """Hold the schemas against all their earlier versions, and registry.json against git's HEAD."""
    from cli import compatibility, registration

    entries = registration.entries()
    complaints = [
        *registration.unregistered(entries),
        *registration.rewritten(entries, registration.committed()),
        *compatibility.complaints([*entries, *registration.additions(entries)]),
    ]
    if complaints:
        raise Trouble("\n".join(complaints))
    say(f"{len(entries)} versions of {len({entry['subject'] for entry in entries})} records, all compatible")


@app.command()
def add() -> None:
    """Give each schema that is new or has changed the next id in registry.json."""
    from cli import compatibility, registration

    entries = registration.entries()
    added = registration.additions(entries)
    if complaints := compatibility.complaints([*entries, *added]):
        raise Trouble("\n".join(complaints))
    registration.write([*entries, *added])
    for entry in added:
        say(f"{entry['subject']} version {entry['version']} has the id {entry['id']}")
    say(f"{len(added)} added" if added else "nothing is new")
