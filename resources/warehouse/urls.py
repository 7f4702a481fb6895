"""Database URLs: the driver is always named, and no password gets into a text for people.

Here: pure functions. Not here: connections.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

SCHEMES = ("postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2", "postgresql+asyncpg")


def with_driver(url: str, driver: str | None, variable: str = "DATABASE_URL") -> str:
    """The URL for SQLAlchemy with a driver named, or for libpq with ``None``; ``variable`` is where it came from.

    Raises:
        ValueError: it is no PostgreSQL URL. The text does not repeat the URL, which may hold a password.

    >>> with_driver("postgres://u:p@h/db", "psycopg")
    'postgresql+psycopg://u:p@h/db'
    """
    scheme, separator, rest = url.strip().partition("://")
    if not separator or scheme not in SCHEMES:
        raise ValueError(f"{variable} is not of the form postgresql://user:password@host:5432/database")
    return f"postgresql{'+' + driver if driver else ''}://{rest}"


def with_search_path(url: str, schema: str) -> str:
    """The URL of sessions whose tables are in ``schema``.

    >>> with_search_path("postgresql://h/db", "dagster")
    'postgresql://h/db?options=-csearch_path%3Ddagster'
    """
    parts = urlsplit(url)
    query = [*parse_qsl(parts.query), ("options", f"-csearch_path={schema}")]
    # libpq reads a plus as a plus: a space must be %20
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))


def with_login(url: str, user: str, password: str) -> str:
    """The URL of the same database with another login.

    >>> with_login("postgresql://u:p@h:1/db", "reader", "s")
    'postgresql://reader:s@h:1/db'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{host}"))


def user_of(url: str) -> str | None:
    """The user of a URL."""
    user = urlsplit(url).username
    return unquote(user) if user is not None else None


def password_of(url: str) -> str | None:
    """The password of a URL."""
    password = urlsplit(url).password
    return unquote(password) if password is not None else None


def database_of(url: str) -> str | None:
    """The database of a URL; libpq takes that of the user's name where it says none.

    >>> database_of("postgresql://u:p@h/%D1%87%D0%B0%D1%82?sslmode=require"), database_of("postgresql://u@h")
    ('чат', 'u')
    """
    parts = urlsplit(url)
    named = unquote(parts.path.lstrip("/")) or dict(parse_qsl(parts.query)).get("dbname")
    return named or user_of(url)


def for_people(url: str) -> str:
    """Host and database of a URL, nothing else.

    >>> for_people("postgresql+psycopg://u:p@db.example:5432/otklik?x=y")
    'db.example:5432/otklik'
    """
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.hostname or 'local socket'}{port}{parts.path}"
