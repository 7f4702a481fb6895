#!/bin/sh
# Makes the two databases and the logins of the URLs in .env; run by the postgres container when its volume is new, and by
# a person whenever a password in .env has changed (docs/deploy.md). May be repeated: what is there is kept.
#
# Here: logins and who may connect. Not here: what a login may do; `otklik migrate` grants that as the owner.
set -eu

# runs a query whose rows are statements; the password is read from the environment, not from the command line
make() {
    PGOPTIONS="-c client_min_messages=warning" psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
        --set login="$login" --set database="$database" --set owner="${owner:-}" <<SQL
\getenv password LOGIN_PASSWORD
$1 \gexec
SQL
}

# takes a URL postgresql://login:password@host:port/database apart
read_url() {
    rest=${1#*://}
    rest=${rest%%\?*}
    login=${rest%%:*}
    rest=${rest#*:}
    LOGIN_PASSWORD=${rest%%@*}
    database=${rest##*/}
    export LOGIN_PASSWORD
}

make_login() {
    make "select format('create role %I', :'login') where not exists (select from pg_roles where rolname = :'login')"
    make "select format('alter role %I login password %L', :'login', :'password')"
}

for url in "$DATABASE_URL" "$DAGSTER_PG_URL"; do
    read_url "$url"
    make_login
    make "select format('create database %I owner %I', :'database', :'login')
          where not exists (select from pg_database where datname = :'database')"
    make "select format('revoke all on database %I from public', :'database')"
done

for url in "$LOADER_DATABASE_URL" "$PUBLISHER_DATABASE_URL" "$ANALYST_DATABASE_URL" "$DESK_DATABASE_URL"; do
    read_url "$url"
    make_login
    make "select format('grant connect on database %I to %I', :'database', :'login')"
done

# the owner hands the marts over to the publisher, who builds and swaps them, and migrates them later
read_url "$DATABASE_URL"
owner=$login
read_url "$PUBLISHER_DATABASE_URL"
make "select format('grant %I to %I', :'login', :'owner') where :'login' <> :'owner'"

# whoever has a login may walk into the server's own databases unless told not to: an analyst would fill the disk with
# temporary tables there, or hold up `create database`, which waits for template1 to be empty
for database in postgres template1; do
    make "select format('revoke all on database %I from public', :'database')"
done

read_url "$ANALYST_DATABASE_URL"
make "select format('alter role %I set default_transaction_read_only = on', :'login')"
