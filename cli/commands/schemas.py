"""`hookstream schemas`: every record can be read by every version of it, and an id never changes its meaning."""

import typer

from cli import environment
from local.messages import Trouble, say

app = typer.Typer(help="Avro schemas and their committed ids.", no_args_is_help=True)


@app.command()
def check() -> None:
    """Hold the schemas against all their earlier versions, and registry.json against git's HEAD."""
    from cli.schema_registry import compatibility, registration

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
    from cli.schema_registry import compatibility, registration

    entries = registration.entries()
    added = registration.additions(entries)
    if complaints := compatibility.complaints([*entries, *added]):
        raise Trouble("\n".join(complaints))
    registration.write([*entries, *added])
    for entry in added:
        say(f"{entry['subject']} version {entry['version']} has the id {entry['id']}")
    say(f"{len(added)} added" if added else "nothing is new")


@app.command()
def push() -> None:
    """Register the committed schemas at SCHEMA_REGISTRY_URL, with their ids where it can import them."""
    from cli.schema_registry import push as pushing
    from cli.schema_registry import registration
    from stream.avro.registry_client import RegistryError

    env = environment.read()
    client = environment.registry_client(env)
    other = list[str]()
    try:
        for entry, found in pushing.push(client, registration.entries()):
            if found != entry["id"]:
                other.append(
                    f"{entry['subject']} version {entry['version']} has the id {found} there, {entry['id']} here"
                )
    except RegistryError as failure:
        raise Trouble(f"The schemas were not registered: {failure}") from failure
    for line in other:
        say(line)
    if other:
        raise Trouble(
            f"All are registered at {client.name}, {len(other)} with other ids: it numbers for itself. Services use "
            "its ids; but records written while SCHEMA_REGISTRY_URL was unset cannot be read with them."
        )
    say(f"{len(registration.entries())} versions are registered at {client.name} with their committed ids")
