"""`hookstream schemas`: checks that all versions of a record are compatible and that no schema id changes."""

import typer

from cli import environment
from local.messages import CommandError, say

app = typer.Typer(help="Avro schemas and their committed ids.", no_args_is_help=True)


@app.command()
def check() -> None:
    """Check the schemas against all their earlier versions, and registry.json against git's HEAD."""
    from cli.schema_registry import compatibility, registration

    entries = registration.entries()
    problems = [
        *registration.unregistered(entries),
        *registration.rewritten(entries, registration.committed()),
        *compatibility.problems([*entries, *registration.additions(entries)]),
    ]
    if problems:
        raise CommandError("\n".join(problems))
    say(f"{len(entries)} versions of {len({entry['subject'] for entry in entries})} records, all compatible")


@app.command()
def add() -> None:
    """Add each new or changed schema to registry.json under the next id."""
    from cli.schema_registry import compatibility, registration

    entries = registration.entries()
    added = registration.additions(entries)
    if problems := compatibility.problems([*entries, *added]):
        raise CommandError("\n".join(problems))
    registration.write([*entries, *added])
    for entry in added:
        say(f"{entry['subject']} version {entry['version']} has the id {entry['id']}")
    say(f"{len(added)} added" if added else "no schema is new")


@app.command()
def push() -> None:
    """Register the committed schemas at SCHEMA_REGISTRY_URL, with their ids if the registry can import them."""
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
        raise CommandError(f"The schemas were not registered: {failure}") from failure
    for line in other:
        say(line)
    if other:
        raise CommandError(
            f"All versions are registered at {client.name}, {len(other)} with ids of its own. "
            "Services use those, but cannot read records written while SCHEMA_REGISTRY_URL was unset."
        )
    say(f"{len(registration.entries())} versions are registered at {client.name} with their committed ids")
