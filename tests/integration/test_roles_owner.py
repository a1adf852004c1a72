"""sql/roles.sql: an administrator who runs it trusts nothing that the schema's owner has made."""
import contextlib

import psycopg2
import pytest

from support.roles import OWNER, make_roles, migrate, url_as

# What the owner of a schema may leave there, so that an administrator runs it.
RISE = """BEGIN
        RESET ROLE;
        ALTER ROLE analytics_owner SUPERUSER;
    EXCEPTION WHEN OTHERS THEN NULL; END;"""
TRAPS = {
    "the function that grants": f"""
        CREATE OR REPLACE FUNCTION grant_privileges() RETURNS void LANGUAGE plpgsql AS $$
        BEGIN {RISE} END $$""",
    "an operator": f"""
        CREATE FUNCTION rise(oid, regclass) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN {RISE} RETURN $1 = $2::oid; END $$;
        CREATE OPERATOR = (LEFTARG = oid, RIGHTARG = regclass, FUNCTION = rise)""",
    "a function of another type": f"""
        CREATE FUNCTION format(text, name) RETURNS text LANGUAGE plpgsql AS $$
        BEGIN {RISE} RETURN pg_catalog.format($1, $2); END $$;
        CREATE FUNCTION quote_ident(name) RETURNS text LANGUAGE plpgsql AS $$
        BEGIN {RISE} RETURN pg_catalog.quote_ident($1::text); END $$""",
    "a trigger": f"""
        CREATE FUNCTION rise() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {RISE} RETURN new; END $$;
        CREATE TRIGGER rise BEFORE UPDATE ON schema_functions FOR EACH ROW
        EXECUTE FUNCTION rise()""",
}


@pytest.mark.parametrize("trap", TRAPS)
def test_an_administrator_runs_nothing_of_the_owners(empty_database, tmp_path, trap):
    database = empty_database
    make_roles(database)
    migrate(database, OWNER, tmp_path)
    with contextlib.closing(psycopg2.connect(url_as(database, OWNER))) as conn:
        conn.cursor().execute(TRAPS[trap])
        conn.commit()
    try:
        make_roles(database)
        assert database.rows("SELECT rolname FROM pg_roles WHERE rolsuper"
                             " AND rolname LIKE 'analytics_%'") == []
    finally:
        database.rows("ALTER ROLE analytics_owner NOSUPERUSER")


PRIVILEGES = """
    SELECT c.relname, '', a.grantee::regrole::text, a.privilege_type
      FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
     WHERE c.relnamespace = 'public'::regnamespace
     UNION ALL
    SELECT attrelid::regclass::text, attname, a.grantee::regrole::text, a.privilege_type
      FROM pg_attribute CROSS JOIN LATERAL aclexplode(attacl) a
     WHERE attrelid IN (SELECT oid FROM pg_class
                         WHERE relnamespace = 'public'::regnamespace)
     UNION ALL
    SELECT p.oid::regprocedure::text, '', a.grantee::regrole::text, a.privilege_type
      FROM pg_proc p CROSS JOIN LATERAL aclexplode(p.proacl) a
     WHERE p.pronamespace = 'public'::regnamespace"""


def test_the_roles_may_the_same_whether_they_or_the_schema_came_first(
        database, empty_database, tmp_path):
    """Their rights stand in roles.sql and in the schema."""
    make_roles(database)
    make_roles(empty_database)
    migrate(empty_database, OWNER, tmp_path)
    assert set(database.rows(PRIVILEGES)) == set(empty_database.rows(PRIVILEGES))
