#!/usr/bin/env bash
# Manual deployment of the kind that the collection replaces. It leaves an untracked package.json and
# package-lock.json in the root and a changed uv.lock, and deletes every process of this user's pm2.
set -e
cd "$(dirname "${BASH_SOURCE[0]}")/.."

for command in uv npm pm2 curl; do
    command -v "$command" >/dev/null || { echo "$command is not installed" >&2; exit 1; }
done
[ -f .env.staging ] || { echo "copy .env.staging.example to .env.staging first" >&2; exit 1; }
set -a
source .env.staging
set +a

mkdir -p logs staging/.codeframe

[ -d .venv ] || uv venv
uv sync

# ecosystem.staging.config.js requires it.
npm install dotenv
(cd web-ui && npm ci --include=dev && npm run build)

pm2 stop all 2>/dev/null || true
pm2 delete all 2>/dev/null || true
pm2 start ecosystem.staging.config.js

for port in "${BACKEND_PORT:-14200}" "${FRONTEND_PORT:-14100}"; do
    curl --silent --fail --output /dev/null --retry 30 --retry-delay 2 --retry-connrefused "http://localhost:$port/"
    echo "port $port answers"
done
