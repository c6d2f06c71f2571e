"""`hookstream schemas`: lists, shows, checks, adds and pushes the Avro schemas of the records."""

from typing import Annotated

import typer

from cli import environment, output
from cli.output import Json
from local.messages import CommandError, say
from runtime.json_value import JsonValue

app = typer.Typer(help="Avro schemas and their committed ids.", no_args_is_help=True)


@app.command("list")
def list_(*, as_json: Json = False) -> None:
    """List each record with its versions, the schema id of the newest, and the topics that carry it."""
    from cli.schema_registry import registration
    from stream.events.topics import ALL

    newest = {entry["subject"]: entry for entry in registration.entries()}
    carried = {name: [topic.name for topic in ALL if name in _names(topic.records)] for name in newest}
    rows: list[dict[str, JsonValue]] = [
        {"name": name, "version": entry["version"], "id": entry["id"], "topics": carried[name]}
        for name, entry in sorted(newest.items())
    ]
    if as_json:
        return output.say_list("schemas", rows)
    table = output.table("record", "versions", "newest id", "topics")
    for row in rows:
        output.add(table, row["name"], str(row["version"]), str(row["id"]), ", ".join(row["topics"]))
    return output.show(table)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The record's name, such as PaymentCompleted.")],
    version: Annotated[int | None, typer.Option(min=1, help="One version. Default: the newest.")] = None,
) -> None:
    """Print a record's schema as Avro JSON."""
    from cli.schema_registry import registration

    versions = {entry["version"]: entry for entry in registration.entries() if entry["subject"].lower() == name.lower()}
    if not versions:
        raise CommandError(f"There is no record {name}. `hookstream schemas list` shows them.")
    if version not in (None, *versions):
        raise CommandError(f"{name} has the versions {', '.join(map(str, sorted(versions)))}.")
    output.say_json(versions[version or max(versions)]["schema"])


def _names(records: tuple[type, ...]) -> set[str]:
    return {record.__name__ for record in records}


@app.command()
def check() -> None:
    """Check the schemas against all their earlier versions, and registry.json against git's HEAD.

    The exit code is 1 when a schema is not registered or not compatible, or an entry of HEAD has changed. Without git
    or a commit, the entries are not compared with HEAD.
    """
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
    """Add each new or changed schema to registry.json under the next id; add none if one is not compatible."""
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
    """Register the committed schemas at SCHEMA_REGISTRY_URL, with their ids if the registry can import them.

    The exit code is 1 when the registry refuses a schema, or has a schema under another id.
    """
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
