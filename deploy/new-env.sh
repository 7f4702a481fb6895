#!/bin/sh
# Prints a .env for docker compose with fresh random passwords and a fresh key:
#
#     sh deploy/new-env.sh otklik.example.ru > .env && chmod 600 .env
#     sh deploy/new-env.sh --demo http://localhost > .env         with the invented shop of the demo as the only source
#
# Passwords are letters and digits only: they stand in URLs. Needs nothing but a POSIX shell.
set -eu

demo=
if [ "${1:-}" = --demo ]; then
    demo=yes
    shift
fi
if [ $# -ne 1 ]; then
    echo "usage: sh deploy/new-env.sh [--demo] <host name of the server> > .env" >&2
    exit 2
fi
site=$1
case $site in
http://*) ui=$site ;;
*) ui=https://$site ;;
esac

password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
# 32 random bytes in URL-safe base64
key() { head -c 32 /dev/urandom | base64 | tr '+/' '-_'; }

cat <<ENV
# Made by deploy/new-env.sh. Holds passwords: readable by its owner only, never in a repository, kept with the backups'
# key and not with the backups. All other settings: .env.example, docs/configuration.md.

# Where people open Otklik
OTKLIK_SITE=$site
OTKLIK_UI_URL=$ui

# Who may do everything, and who may look: one line each, name and hash, in single quotes (docs/deploy.md, "Users")
OTKLIK_EDITORS=
OTKLIK_VIEWERS=

# Key of stored credentials: without it they cannot be read, not even from a backup
OTKLIK_SECRET_KEYS=$(key)

# The database server, its owner's login (migrations only) and one login for each kind of work
POSTGRES_PASSWORD=$(password)
DATABASE_URL=postgresql://otklik_owner:$(password)@postgres:5432/otklik
LOADER_DATABASE_URL=postgresql://otklik_loader:$(password)@postgres:5432/otklik
PUBLISHER_DATABASE_URL=postgresql://otklik_publisher:$(password)@postgres:5432/otklik
ANALYST_DATABASE_URL=postgresql://otklik_analyst:$(password)@postgres:5432/otklik
DESK_DATABASE_URL=postgresql://otklik_desk:$(password)@postgres:5432/otklik
DAGSTER_PG_URL=postgresql+psycopg2://dagster:$(password)@postgres:5432/dagster
ENV

if [ -n "$demo" ]; then
    cat <<ENV

# The emulators of docker-compose.yml in the place of the vendors
COMPOSE_PROFILES=demo
RETAILCRM_BASE_URL=http://emulators:8070
RETAILCRM_API_KEY=demo-api-key
RETAILCRM_BOT_TOKEN=demo-bot-token
SHEETS_BASE_URL=http://emulators:8071
GOOGLE_SHEETS_ID=1Otklik-Demo-Spreadsheet-0000000000000000000
GOOGLE_SERVICE_ACCOUNT_JSON=/var/lib/otklik-demo/sheets/service-account.json
TELEGRAM_ENABLED=1
TELEGRAM_BASE_URL=http://emulators:8072
TELEGRAM_BOT_TOKEN=1000000000:$(password)
TELEGRAM_CHAT_ID=-1001740000001
ENV
fi
