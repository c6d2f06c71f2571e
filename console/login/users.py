"""The users of the setting CONSOLE_USERS, one a line (`name:role[,role …]:argon2-hash`), and their roles."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, get_args

from console.login import passwords

Role = Literal["viewer", "operator", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)
"""A viewer reads, an operator acts, an auditor sees unmasked payloads. Operators and auditors read as well."""
_NAME = re.compile(r"[^\s:]{1,100}")
Users = Mapping[str, "User"]
"""Users by name."""


@dataclass(frozen=True, slots=True)
class User:
    """A user with a password. `mark` changes with the password: a session with another mark has ended."""

    name: str
    roles: frozenset[Role]
    password_hash: str

    @property
    def mark(self) -> str:
        return sha256(self.password_hash.encode()).hexdigest()[:16]


def parse(setting: str) -> dict[str, User]:
    """Return the users of CONSOLE_USERS by name; blank lines are ignored.

    Raises ValueError, which has the number of the wrong line but never its hash.
    """
    users: dict[str, User] = {}
    for number, line in enumerate(setting.splitlines(), 1):
        if line.strip():
            user = _user(line.strip(), number)
            if user.name in users:
                raise ValueError(f"line {number}: {user.name} is there twice")
            users[user.name] = user
    return users


def roles(text: str) -> frozenset[Role]:
    """Parse comma-separated roles. Raises ValueError for an unknown role, and for a text without roles."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = frozenset(role for role in ROLES if role in names)
    if not names or len(known) < len(set(names)):
        raise ValueError(f"roles are {', '.join(ROLES)}, comma-separated")
    return known


RoleMap = Mapping[str, frozenset[Role]]
"""Roles by the value of an identity provider's claim."""


def parse_role_map(setting: str) -> dict[str, frozenset[Role]]:
    """Parse CONSOLE_OIDC_ROLES, `value=role,role;value=role`. Raises ValueError for another form or an unknown role."""
    pairs = [part.partition("=") for part in setting.split(";") if part.strip()]
    if any(not (value.strip() and equals) for value, equals, _ in pairs):
        raise ValueError("must be value=role,role;value=role")
    return {value.strip(): roles(names) for value, _, names in pairs}


def roles_of(role_map: RoleMap, groups: Iterable[str]) -> frozenset[Role]:
    """Return all roles of a person with these values of the claim; none if no value is in the map."""
    return frozenset(role for group in groups for role in role_map.get(group, ()))


def authenticate(users: Users, name: str, password: str) -> User | None:
    """Return the user with this name and password, else None. An unknown name takes as long as a wrong password."""
    user = users.get(name)
    right = passwords.matches(user.password_hash if user else passwords.UNKNOWN_USER, password)
    return user if right else None


def _user(line: str, number: int) -> User:
    name, colon, fields = line.partition(":")
    role_names, _, password_hash = fields.partition(":")
    if not (colon and _NAME.fullmatch(name)):
        raise ValueError(f"line {number}: must be name:role:hash")
    try:
        granted = roles(role_names)
    except ValueError as wrong:
        raise ValueError(f"line {number}: {wrong}") from None
    if not passwords.is_hash(password_hash):
        raise ValueError(f"line {number}: the last field must be a hash by `python -m console hash-password`")
    return User(name, granted, password_hash)
