"""The roles of sql/roles.sql, made as an administrator makes them."""
from support.daemon import run
from support.settings import SOURCE

ROLES_SQL = SOURCE / "sql" / "roles.sql"
OWNER, PROCESSOR, REPORTING = ("analytics_owner", "analytics_processor",
                               "analytics_reporting")
ROLES = (OWNER, PROCESSOR, REPORTING)


def password_of(role):
    return f"{role}-secret"


def url_as(database, role):
    return database.url.replace("analytics:pg-secret@", f"{role}:{password_of(role)}@")


def make_roles(database):
    """What an administrator does."""
    database.rows(ROLES_SQL.read_text())
    for role in ROLES:
        database.rows(f"ALTER ROLE {role} PASSWORD '{password_of(role)}'")


def migrate(database, role, cwd, code=0):
    done = run("processor", "--migrate", cwd=cwd, timeout=60,
               env={"DATABASE_URL": url_as(database, role)})
    assert done.returncode == code, done.stderr
    return done
